"""The devices of a system, and what becomes of those no longer listed."""

from copy import replace
import json

import pytest

from custom_components.enphase_cloud.measurements.inventory import (
    DeviceProperties,
    updated,
)
from custom_components.enphase_cloud.measurements.system import Device, DeviceKind

BATTERY = Device(DeviceKind.BATTERY, "5")
PANEL = Device(DeviceKind.INVERTER, "4824")
KINDS = (DeviceKind.BATTERY,)


def test_a_device_is_removed_after_three_responses_without_it() -> None:
    """If they list all of its kind; a response with it begins anew."""
    known = {BATTERY: DeviceProperties(), PANEL: DeviceProperties()}
    inventory = updated(known, {}, complete=KINDS)
    inventory = updated(inventory, {}, complete=KINDS)
    assert inventory.keys() == known.keys()
    inventory = updated(inventory, {BATTERY: DeviceProperties()}, complete=KINDS)
    assert inventory == known
    for _ in range(2):
        inventory = updated(inventory, {}, complete=KINDS)
        assert BATTERY in inventory
    assert updated(inventory, {}, complete=KINDS) == {PANEL: DeviceProperties()}


def test_properties_that_a_response_lacks_stay() -> None:
    before = DeviceProperties(name="Cellar", firmware="1", gateway="122")
    listed = DeviceProperties(name="Attic", model="IQ Battery 5P")
    inventory = updated({BATTERY: before}, {BATTERY: listed}, complete=KINDS)
    assert inventory == {BATTERY: replace(before, name="Attic", model="IQ Battery 5P")}


def test_an_inventory_is_stored_with_what_is_known() -> None:
    properties = DeviceProperties(name="Cellar", serial_number="4923", absences=2)
    stored = json.loads(json.dumps(properties.as_dict()))
    assert stored == {"name": "Cellar", "serial_number": "4923", "absences": 2}
    assert DeviceProperties.from_dict(stored) == properties
    assert DeviceProperties.from_dict({}) == DeviceProperties()


@pytest.mark.parametrize(
    "stored", [None, [], {"name": 5}, {"model": "x" * 101}, {"absences": "2"}]
)
def test_damage_is_found(stored: object) -> None:
    with pytest.raises(ValueError, match="Not"):
        DeviceProperties.from_dict(stored)
