"""Meter readings: valid values are read, invalid ones are None."""

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
    """Production meters have the first, other meters the second."""
    (register,) = _read({name: "121EIM1", "value": 6180635, "read_at": EPOCH})
    assert register.serial_number == "121EIM1"
    assert (register.energy, register.read_at) == (6180635, READ_AT)
    assert (register.charged, register.discharged) == (None, None)
    assert "121EIM1" not in repr(register)


def test_a_battery_meter_has_two_readings() -> None:
    (register,) = _read({"value_charged": 137436, "value_discharged": 0})
    assert (register.charged, register.discharged) == (137436, 0)
    assert (register.energy, register.serial_number) == (None, None)


def test_retired_meters_keep_their_order() -> None:
    old = {"serial_num": "1", "value": 5, "read_at": EPOCH - 10**7}
    new = {"serial_num": "2", "value": 3, "read_at": EPOCH}
    assert [each.serial_number for each in _read(old, new)] == ["1", "2"]


@pytest.mark.parametrize("odd", [None, True, "", "many", [], {}, -1, 1e300, 1e14])
def test_invalid_values_are_none(odd: Any) -> None:
    (register,) = _read({"value": odd, "value_charged": 7, "read_at": odd})
    assert (register.energy, register.read_at) == (None, None)


@pytest.mark.parametrize(
    "response",
    [
        None,
        [],
        {},
        {"meter_readings": None},
        {"meter_readings": {"value": 1}},
        {"meter_readings": [{"serial_num": "1"}, 7]},
    ],
)
def test_a_response_without_meters_is_an_error(response: Any) -> None:
    with pytest.raises(MalformedResponseError):
        MeterReadings.from_api(response)


def test_an_empty_list_is_valid() -> None:
    assert _read() == ()


@given(json_values)
def test_any_document_is_read_or_malformed(meters: Any) -> None:
    """Only MalformedResponseError is raised."""
    try:
        MeterReadings.from_api({"meter_readings": meters})
    except MalformedResponseError:
        return


@pytest.mark.skipif(not PATH.exists(), reason="No specification here")
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: each.name)
async def test_the_example_of_the_specification_is_read(
    client: EnphaseCloudClient, cloud: FakeCloud, endpoint: Any
) -> None:
    """Each reading, and its time."""
    (example,) = (
        response.example
        for response in Specification().responses()
        if response.path.removeprefix("/") == endpoint.path and response.status == 200
    )
    example = json.loads(json.dumps(example))
    cloud.script(reply(example))
    response = await client.get(endpoint, system_id=SYSTEM_ID)
    (register,) = response.registers
    (meter,) = example["meter_readings"]
    values = (register.energy, register.charged, register.discharged)
    assert [each for each in values if each is not None] == [
        meter[name] for name in meter if name.startswith("value")
    ]
    assert register.serial_number in meter.values()
    assert register.read_at is not None
    assert int(register.read_at.timestamp()) == meter["read_at"]
