"""The table of sources of energy."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.enphase_cloud.api.endpoints import (
    PRODUCTION_METER_TELEMETRY,
    PRODUCTION_MICRO_TELEMETRY,
    Endpoint,
)
from custom_components.enphase_cloud.api.models import (
    DailyBatteryEnergy,
    DailyEnergy,
    EnergyInterval,
    EnergyIntervals,
    ProductionSource,
)
from custom_components.enphase_cloud.energy.flows import (
    ENERGY_SOURCES,
    most_calls_per_day,
    plate_power,
    readings_of_week,
    updates_of,
)
from custom_components.enphase_cloud.energy.parsing import power_limit, skips_days
from custom_components.enphase_cloud.measurements.catalog import (
    Flow,
    Measurement,
    Source,
)
from custom_components.enphase_cloud.measurements.samples import NOTHING, Sample
from tests.boards import board

NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("source", "endpoint"),
    [
        (ProductionSource.METER, PRODUCTION_METER_TELEMETRY),
        (ProductionSource.MICROINVERTERS, PRODUCTION_MICRO_TELEMETRY),
    ],
)
def test_production_is_requested_of_what_measures_it(
    source: ProductionSource, endpoint: Endpoint
) -> None:
    """Not before that is known."""
    production = ENERGY_SOURCES[Source.PRODUCTION_INTERVALS]
    assert not production.is_wanted(board(), NOON)
    sample = Sample(str(source), NOON, Source.SUMMARY)
    known = board({Measurement.PRODUCTION_SOURCE: sample})
    assert production.is_wanted(known, NOON)
    assert production.intervals(known) == endpoint


def test_only_production_may_lack_nights() -> None:
    """What is missing of other flows is unknown."""
    quarter = timedelta(minutes=15)
    intervals = tuple(
        EnergyInterval(end_at=NOON + at * quarter, energy=wh, devices_reporting=None)
        for at, wh in ((1, 1_000), (2, 50), (51, 50), (52, 1_000))
    )
    document = EnergyIntervals(
        system_id=1, intervals=intervals, total_devices=None, length=quarter
    )
    flows = (Flow.PRODUCTION, Flow.CONSUMPTION)
    readings = readings_of_week(
        dict.fromkeys(flows, document),
        dict.fromkeys(flows, 10_000),
        fetched_at=NOON + timedelta(days=2),
    )
    assert [len(readings[flow]) for flow in flows] == [52, 4]


def test_batteries_are_updated_once_a_day() -> None:
    """Polls have the rest."""
    battery = ENERGY_SOURCES[Source.BATTERY_INTERVALS]
    assert not battery.is_wanted(board(), NOON)
    assert battery.is_wanted(board(has_battery=True), NOON)
    assert updates_of(Source.BATTERY_INTERVALS, 24) == 1
    assert updates_of(Source.BATTERY_INTERVALS, 0) == 0
    assert most_calls_per_day(4) == 4 * 4 + 1


def test_the_days_of_a_battery_are_those_of_two_flows() -> None:
    charged, discharged = (
        DailyEnergy(start_date=NOON.date(), values=(wh,)) for wh in (1, 2)
    )
    document = DailyBatteryEnergy(charged=charged, discharged=discharged)
    assert ENERGY_SOURCES[Source.BATTERY_INTERVALS].read_days(document) == {
        Flow.BATTERY_CHARGE: charged,
        Flow.BATTERY_DISCHARGE: discharged,
    }


def test_the_limit_of_power_is_that_of_the_plates() -> None:
    """Without plates it is that of a connection."""
    plates = {
        Measurement.RATED_POWER: 5_000,
        Measurement.RATED_CHARGE_POWER: 3_000,
        Measurement.RATED_DISCHARGE_POWER: 4_000,
    }
    known = {
        measurement: Sample(watts, NOON, Source.SUMMARY)
        for measurement, watts in plates.items()
    }
    for flow in Flow:
        assert plate_power(flow, known) == power_limit(
            flow, size=5_000, charge_limit=3_000, discharge_limit=4_000
        )
        assert plate_power(flow, NOTHING) == power_limit(
            flow, size=None, charge_limit=None, discharge_limit=None
        )


@pytest.mark.parametrize(
    ("values", "skips"), [((), False), ((None, 23_000), False), ((None, 23_001), True)]
)
def test_days_beyond_the_limit_are_skipped(
    values: tuple[float | None, ...], *, skips: bool
) -> None:
    """The shortest day has 23 hours; nothing is known of a day without a value."""
    daily = DailyEnergy(start_date=NOON.date(), values=values)
    assert skips_days(daily, 1_000) is skips
