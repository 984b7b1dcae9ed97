"""The rows of the catalog: sensors, names and age limits."""

from datetime import UTC, datetime, timedelta
import json
from pathlib import Path

import pytest

import custom_components.enphase_cloud
from custom_components.enphase_cloud.measurements.catalog import Measurement, Source
from custom_components.enphase_cloud.measurements.samples import Sample, fresh_value
from custom_components.enphase_cloud.measurements.traits import Kind

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
TEXTS = json.loads(
    (
        Path(custom_components.enphase_cloud.__file__).parent / "translations/en.json"
    ).read_text("utf-8")
)["entity"]["sensor"]
SHOWN = [measurement for measurement in Measurement if measurement.traits.sensor]


def test_sensors_of_a_device_have_keys_of_their_own() -> None:
    keys = [(each.traits.device, each.traits.sensor) for each in SHOWN]
    assert len(keys) == len(set(keys)) > 20


@pytest.mark.parametrize("measurement", SHOWN)
def test_a_sensor_has_a_name_and_names_for_its_states(measurement: Measurement) -> None:
    if measurement.traits.kind is Kind.LEVEL:
        return  # Home Assistant names it.
    texts = TEXTS[measurement.traits.sensor]
    assert texts["name"]
    assert set(measurement.traits.states) == set(texts.get("state", {}))


@pytest.mark.parametrize(
    "measurement", [each for each in Measurement if each.traits.max_age]
)
def test_a_value_past_its_age_is_unknown(measurement: Measurement) -> None:
    limit = measurement.traits.max_age
    assert limit is not None

    def value(age: timedelta) -> object:
        samples = {measurement: Sample(700, NOW - age, Source.LATEST)}
        return fresh_value(samples, measurement, now=NOW, cellular=False)

    assert value(limit) == 700
    assert value(limit + timedelta(seconds=1)) is None
