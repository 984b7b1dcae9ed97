"""Texts of event types: which to request, and when again."""

from datetime import UTC, datetime
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.api.models import EventTypes
from custom_components.enphase_cloud.measurements.event_texts import (
    AFTER_FAILURE,
    NOT_KNOWN,
    EventText,
    EventTexts,
)

NOW = datetime(2026, 6, 21, 12, tzinfo=UTC)


def _types(*types: dict[str, Any]) -> EventTypes:
    return EventTypes.from_api({"event_types": list(types)})


def _with_list(*ids: int) -> EventTexts:
    listed = _types(
        *({"event_type_id": each, "event_name": f"N{each}"} for each in ids)
    )
    return EventTexts().with_response(None, listed.event_types)


def test_the_list_of_all_types_is_requested_first() -> None:
    """Then single types, a few at a time."""
    assert EventTexts().requests([], NOW) == ()
    assert EventTexts().requests([7, 28], NOW) == (None,)
    known = _with_list(28)
    assert known.requests([28], NOW) == ()
    assert known.requests([28, 9, 7, 9], NOW) == (7, 9)
    assert len(known.requests(range(100), NOW)) == 5


def test_a_request_is_not_repeated_at_once() -> None:
    """The list a day after a failure, an unknown type a month later."""
    failed = EventTexts().with_request(None, NOW + AFTER_FAILURE)
    assert failed.requests([7], NOW) == ()
    assert failed.requests([7], NOW + AFTER_FAILURE) == (None,)
    for first in (0, 7):
        texts = _with_list(28).with_request(first, NOW + NOT_KNOWN)
        assert texts.with_response(first, []).requests([first, 8], NOW) == (8,)
    unknown = _with_list(28).with_request(7, NOW + NOT_KNOWN).with_response(7, [])
    assert unknown.requests([7], NOW + NOT_KNOWN) == (7,)
    listed = unknown.with_response(7, _types({"event_type_id": 7}).event_types)
    assert listed.requests([7], NOW + NOT_KNOWN) == ()


def test_a_clock_that_was_ahead_delays_no_request() -> None:
    texts = EventTexts().with_request(None, NOW + 3 * NOT_KNOWN)
    assert texts.requests([1], NOW) == (None,)
    assert texts.requests([1], NOW + 2 * NOT_KNOWN) == ()


def test_a_limited_number_of_requests_is_remembered() -> None:
    """The oldest are forgotten first."""
    many = EventTexts(not_before=dict.fromkeys(range(5_000), NOW))
    kept = many.with_request(7_000, NOW + NOT_KNOWN).not_before
    assert list(kept) == [*range(1, 5_000), 7_000]


def test_texts_are_shortened_and_on_one_line() -> None:
    """An empty text is None."""
    [listed] = _types(
        {
            "event_type_id": 7,
            "event_name": "A\n\tname",
            "event_description": "x" * 5000,
            "recommended_action": " \n ",
        }
    ).event_types
    text = EventText.of(listed)
    assert text.name == "A name"
    assert text.description == "x" * 500
    assert text.advice is None


@given(
    st.dictionaries(st.integers(0, 9), st.text(min_size=1, max_size=120), max_size=5),
    st.sets(st.integers(0, 9), max_size=4),
    st.booleans(),
)
def test_stores_keep_everything(
    names: dict[int, str],
    requested: set[int],
    has_list: bool,  # noqa: FBT001
) -> None:
    """The restored state gives the same requests."""
    listed = _types(
        *({"event_type_id": key, "event_name": name} for key, name in names.items())
    )
    texts = EventTexts().with_response(None if has_list else 1, listed.event_types)
    for each in requested:
        texts = texts.with_request(each, NOW + NOT_KNOWN)
    again = EventTexts.from_dict(json.loads(json.dumps(texts.as_dict())))
    assert again == texts
    assert again.requests(range(12), NOW) == texts.requests(range(12), NOW)


@pytest.mark.parametrize(
    "stored",
    [
        None,
        {},
        {"texts": {"x": {}}, "not_before": {}, "has_list": True},
        {"texts": {"1": []}, "not_before": {}, "has_list": True},
        {"texts": {"1": {"name": 3}}, "not_before": {}, "has_list": True},
        {"texts": {"1": {"name": "x" * 501}}, "not_before": {}, "has_list": True},
        {"texts": {}, "not_before": {"1": "x"}, "has_list": True},
    ],
)
def test_damaged_data_raises(stored: object) -> None:
    """Always ValueError."""
    with pytest.raises(ValueError, match=r"No|invalid"):
        EventTexts.from_dict(stored)
