"""Messages inside of wrappers."""

import json
import time
from typing import Any

import pytest

from custom_components.enphase_cloud.api.live_messages import messages_of

MEASURED = {"pv_power": 3, "system_id": 7}
MOMENT = {"timestamp_epoch": 1782561600000}


@pytest.mark.parametrize(
    "document",
    [
        MOMENT | MEASURED,
        MOMENT | {"data": MEASURED},
        {"data": MOMENT | {"type": "response", "data": MEASURED}},
        {"data": {"data": {"data": MOMENT | MEASURED}}},
        MOMENT | {"data": {"data": {"data": MEASURED}}},
        MOMENT | {"data": [MEASURED]},
        MOMENT | {"data": [[MEASURED], []]},
        {"data": json.dumps(MOMENT | {"data": MEASURED})},
        MOMENT | {"data": json.dumps(json.dumps([MEASURED]))},
        MOMENT | {"data": MEASURED | {"timestamp_epoch": None, "data": None}},
        MOMENT | {"data": MEASURED | {"data": "words"}},
    ],
)
def test_a_message_has_the_fields_of_its_wrappers(
    document: dict[str, Any],
) -> None:
    assert list(messages_of(document)) == [MOMENT | MEASURED]


def test_an_array_has_several_messages() -> None:
    first, second = {"pv_power": 1}, {"pv_power": 2, "timestamp_epoch": 9}
    assert list(messages_of(MOMENT | {"data": [first, 7, {"data": [second]}]})) == [
        MOMENT | first,
        second,
    ]


def test_inner_fields_take_precedence() -> None:
    document = {"code": 200, "message": "Success", "data": {"code": 429, "data": []}}
    assert list(messages_of(document)) == [{"code": 429, "message": "Success"}]


@pytest.mark.parametrize("text", ['{"data":' * 9_000 + "0" + "}" * 9_000])
def test_too_many_wrappers_end_in_an_empty_message(text: str) -> None:
    assert list(messages_of(json.loads(text))) == [{}]


@pytest.mark.parametrize(
    "document",
    [
        {"data": [{} for _ in range(80_000)]},
        {
            "data": [
                MOMENT | {str(n): n for n in range(20_000)} | {"data": [{}] * 9_000}
            ]
        },
        {"data": [[] for _ in range(80_000)]},
        {"data": "{}" * 100_000},
    ],
)
def test_time_is_bounded(document: dict[str, Any]) -> None:
    began = time.thread_time()
    assert len(list(messages_of(document))) <= 2_001
    assert time.thread_time() - began < 0.1
