"""Registers of meters: what is sound is kept, what is odd is None."""

from datetime import UTC, datetime
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.api import (
    EnphaseCloudClient,
    MalformedResponseError,
)
from custom_components.enphase_cloud.api.endpoints import (
    CONSUMPTION_METER_READINGS,
    PRODUCTION_METER_READINGS,
    STORAGE_METER_READINGS,
)
from custom_components.enphase_cloud.api.models import MeterReadings, MeterRegister
from tests.simulator.specification import PATH, Specification

from .conftest import SYSTEM_ID, FakeCloud, reply

READ_AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
EPOCH = int(READ_AT.timestamp())
ENDPOINTS = (
    PRODUCTION_METER_READINGS,
    CONSUMPTION_METER_READINGS,
    STORAGE_METER_READINGS,
)
NAMES = ["serial_num", "serial_number", "value", "value_charged", "read_at", "x"]

json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
)


def _read(*meters: Any) -> tuple[MeterRegister, ...]:
    return MeterReadings.from_api({"meter_readings": list(meters)}).registers


@pytest.mark.parametrize("name", ["serial_number", "serial_num"])
def test_a_serial_number_has_two_names(name: str) -> None:
    """Meters of production have one of them, the others the other."""
    (register,) = _read({name: "121EIM1", "value": 6180635, "read_at": EPOCH})
    assert register.serial_number == "121EIM1"
    assert (register.energy, register.read_at) == (6180635, READ_AT)
    assert (register.charged, register.discharged) == (None, None)
    assert "121EIM1" not in repr(register)


def test_a_meter_of_batteries_has_two_registers() -> None:
    (register,) = _read({"value_charged": 137436, "value_discharged": 0})
    assert (register.charged, register.discharged) == (137436, 0)
    assert (register.energy, register.serial_number) == (None, None)


def test_retired_meters_are_kept_in_their_order() -> None:
    old = {"serial_num": "1", "value": 5, "read_at": EPOCH - 10**7}
    new = {"serial_num": "2", "value": 3, "read_at": EPOCH}
    assert [each.serial_number for each in _read(old, new)] == ["1", "2"]


@pytest.mark.parametrize("odd", [None, True, "", "many", [], {}, -1, 1e300, 1e14])
def test_what_is_odd_is_unknown(odd: Any) -> None:
    (register,) = _read({"value": odd, "value_charged": 7, "read_at": odd})
    assert (register.energy, register.read_at) == (None, None)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {},
        {"meter_readings": None},
        {"meter_readings": {"value": 1}},
        {"meter_readings": [{"serial_num": "1"}, 7]},
    ],
)
def test_an_answer_of_something_else_is_an_error(answer: Any) -> None:
    with pytest.raises(MalformedResponseError):
        MeterReadings.from_api(answer)


def test_no_meter_is_no_error() -> None:
    assert _read() == ()


@given(json_values)
def test_whatever_comes_is_read_or_refused(meters: Any) -> None:
    """Nothing but MalformedResponseError is raised."""
    try:
        MeterReadings.from_api({"meter_readings": meters})
    except MalformedResponseError:
        return


@pytest.mark.skipif(not PATH.exists(), reason="No specification here")
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: each.name)
async def test_the_example_of_the_specification_is_understood(
    client: EnphaseCloudClient, cloud: FakeCloud, endpoint: Any
) -> None:
    """Each register of it, and its moment."""
    (example,) = (
        answer.example
        for answer in Specification().answers()
        if answer.path.removeprefix("/") == endpoint.path and answer.status == 200
    )
    example = json.loads(json.dumps(example))
    cloud.script(reply(example))
    answer = await client.get(endpoint, system_id=SYSTEM_ID)
    (register,) = answer.registers
    (told,) = example["meter_readings"]
    values = (register.energy, register.charged, register.discharged)
    assert [each for each in values if each is not None] == [
        told[name] for name in told if name.startswith("value")
    ]
    assert register.serial_number in told.values()
    assert register.read_at is not None
    assert int(register.read_at.timestamp()) == told["read_at"]
