"""Models of documents: valid values are read, invalid ones are None."""

from collections.abc import Callable
from copy import replace
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.api import (
    BatteryInterval,
    BatteryMode,
    BatteryOperation,
    BatteryReading,
    BatteryTelemetry,
    ConnectionType,
    DailyEnergy,
    EvChargerReading,
    EvChargerStatus,
    GridStatus,
    HeatPumpMode,
    HeatPumpReading,
    LatestTelemetry,
    LiveFrame,
    MalformedResponseError,
    MeterReading,
    PowerReading,
    ProductionSource,
    Summary,
    System,
    SystemStatus,
)
from custom_components.enphase_cloud.api.models import SystemsPage

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
EPOCH = int(NOON.timestamp())
ID = 4711

ODD_NUMBERS: list[Any] = [
    None,
    True,
    "",
    "many",
    [],
    {},
    "NaN",
    "inf",
    float("nan"),
    1e999,
    "1" + " " * 100_000 + "x",
]
ODD_MOMENTS: list[Any] = [*ODD_NUMBERS, 0, -1, 1e30, "yesterday", 10**400]
ODD_NAMES: list[Any] = [None, True, 7, [], {}, "", "brand new", "x" * 300_000]

DOCUMENTED_STATUSES = (
    "normal comm micro power meter meter_issue battery storage_idle encharge "
    "encharge_issue enpower enpower_issue retired deactivated not_monitored unused "
    "disabled debug info monitored muted warning error no_data rma unknown nsr any "
    "data_upload on_grid off_grid grid_unknown"
).split()


def system(**members: Any) -> System:
    """Return a system with some members."""
    return System.from_api({"system_id": ID, "name": "Home"} | members)


def summary(**members: Any) -> Summary:
    """Return a summary with some members."""
    return Summary.from_api({"system_id": ID} | members)


class TestSystem:
    """A system of an account."""

    def test_is_read(self) -> None:
        assert system(
            public_name="Residential System",
            timezone="Europe/Berlin",
            address={"city": "Berlin"},
            connection_type="Wi-Fi",
            status="meter_issue",
            last_report_at=EPOCH,
            last_energy_at=EPOCH - 60,
            operational_at=EPOCH - 120,
            live_stream="enabled",
        ) == System(
            system_id=ID,
            name="Home",
            public_name="Residential System",
            time_zone="Europe/Berlin",
            status=SystemStatus.METER_ISSUE,
            connection_type=ConnectionType.WIFI,
            last_report_at=NOON,
            last_energy_at=NOON - timedelta(minutes=1),
            operational_at=NOON - timedelta(minutes=2),
            live_stream=True,
        )

    def test_all_but_the_id_is_optional(self) -> None:
        assert System.from_api({"system_id": str(ID)}) == System(
            system_id=ID,
            name="Enphase System",
            public_name=None,
            time_zone=None,
            status=SystemStatus.UNKNOWN,
            connection_type=ConnectionType.UNKNOWN,
            last_report_at=None,
            last_energy_at=None,
            operational_at=None,
            live_stream=None,
        )

    @pytest.mark.parametrize("name", [None, "", "  ", 7])
    def test_the_public_name_is_the_default(self, name: object) -> None:
        assert system(name=name, public_name="Barn").name == "Barn"

    def test_the_name_can_be_encoded(self) -> None:
        assert system(name="Barn \ud800").name.encode()

    @pytest.mark.parametrize("status", DOCUMENTED_STATUSES)
    def test_every_documented_status_is_known(self, status: str) -> None:
        assert system(status=status).status == status
        assert system(status=status.upper()).status == status

    @pytest.mark.parametrize("name", ODD_NAMES)
    def test_unknown_names_are_unknown(self, name: object) -> None:
        odd = system(status=name, connection_type=name, live_stream=name)
        assert odd.status is SystemStatus.UNKNOWN
        assert odd.connection_type is ConnectionType.UNKNOWN
        assert odd.live_stream is None

    @pytest.mark.parametrize(
        ("live_stream", "expected"), [("disabled", False), ("Enabled", True)]
    )
    def test_reads_whether_live_data_is_enabled(
        self, *, live_stream: str, expected: bool
    ) -> None:
        assert system(live_stream=live_stream).live_stream is expected

    @pytest.mark.parametrize("system_id", [2**53, str(2**53 - 1), 2.0])
    def test_the_id_is_exact(self, system_id: float | str) -> None:
        assert System.from_api({"system_id": system_id}).system_id == int(system_id)


class TestSummary:
    """The summary of a system."""

    def test_is_read(self) -> None:
        assert summary(
            current_power=1234,
            energy_today=5600,
            energy_lifetime=7_800_000,
            last_interval_end_at=EPOCH - 300,
            last_report_at=EPOCH,
            modules=16,
            operational_at=EPOCH - 3600,
            size_w=6400,
            nmi=None,
            source="microinverters",
            status="normal",
            summary_date="2026-06-01",
            battery_charge_w=3840,
            battery_discharge_w=3800,
            battery_capacity_wh=10_080,
        ) == Summary(
            system_id=ID,
            status=SystemStatus.NORMAL,
            current_power=1234,
            energy_today=5600.0,
            energy_lifetime=7_800_000.0,
            last_interval_end_at=NOON - timedelta(minutes=5),
            last_report_at=NOON,
            operational_at=NOON - timedelta(hours=1),
            summary_date=date(2026, 6, 1),
            modules=16,
            size=6400,
            source=ProductionSource.MICROINVERTERS,
            battery_capacity=10_080.0,
            battery_charge_power_limit=3840,
            battery_discharge_power_limit=3800,
        )

    @pytest.mark.parametrize("power", ["815", "815.4", 815.2, " 815 "])
    def test_numbers_have_several_forms(self, power: object) -> None:
        assert summary(current_power=power).current_power == 815

    @pytest.mark.parametrize("power", [*ODD_NUMBERS, 1e12, -1e12, 10_000_001, 10**400])
    def test_invalid_power_is_none(self, power: object) -> None:
        odd = summary(current_power=power, size_w=power, battery_charge_w=power)
        assert odd.current_power is odd.size is odd.battery_charge_power_limit is None

    def test_power_may_be_negative_but_no_rating(self) -> None:
        assert summary(current_power=-3).current_power == -3
        assert summary(size_w=-3).size is None

    @pytest.mark.parametrize("energy", [*ODD_NUMBERS, -1, 1e300, 10**400])
    def test_invalid_energy_is_none(self, energy: object) -> None:
        odd = summary(energy_today=energy, energy_lifetime=energy)
        assert odd.energy_today is odd.energy_lifetime is None

    @pytest.mark.parametrize("moment", ODD_MOMENTS)
    def test_an_invalid_time_is_none(self, moment: object) -> None:
        assert summary(last_report_at=moment).last_report_at is None

    @pytest.mark.parametrize("moment", [EPOCH, EPOCH * 1000, str(EPOCH), float(EPOCH)])
    def test_times_are_in_seconds_or_milliseconds(self, moment: object) -> None:
        assert summary(last_report_at=moment).last_report_at == NOON

    @pytest.mark.parametrize("day", [None, 20260601, "today", "2026-13-01", ""])
    def test_an_invalid_day_is_none(self, day: object) -> None:
        assert summary(summary_date=day).summary_date is None


class TestBatteryTelemetry:
    """A day of battery intervals."""

    @staticmethod
    def interval(end_at: object = EPOCH, **members: Any) -> dict[str, Any]:
        """Return an interval in the format of the cloud."""
        return {"end_at": end_at} | members

    @staticmethod
    def read(*intervals: Any, **members: Any) -> BatteryTelemetry:
        """Return the telemetry of some intervals."""
        document = {"system_id": ID, "intervals": list(intervals)} | members
        return BatteryTelemetry.from_api(document)

    def test_is_read(self) -> None:
        telemetry = self.read(
            self.interval(
                charge={"enwh": 40, "devices_reporting": 3},
                discharge={"enwh": 12, "devices_reporting": 2},
                soc={"percent": 55, "devices_reporting": 3},
            ),
            last_reported_aggregate_soc="97%",
        )
        assert telemetry == BatteryTelemetry(
            system_id=ID,
            intervals=(
                BatteryInterval(
                    end_at=NOON,
                    charged=40.0,
                    discharged=12.0,
                    state_of_charge=55.0,
                    devices_reporting=2,
                ),
            ),
            last_reported_state_of_charge=97,
        )

    def test_intervals_are_flat_and_in_order(self) -> None:
        telemetry = self.read(
            [[self.interval(EPOCH + 900)], []], self.interval(EPOCH), None, "x", [[7]]
        )
        ends = [interval.end_at for interval in telemetry.intervals]
        assert ends == [NOON, NOON + timedelta(minutes=15)]

    @pytest.mark.parametrize("end_at", ODD_MOMENTS)
    def test_intervals_without_an_end_are_skipped(self, end_at: object) -> None:
        assert self.read(self.interval(end_at)).intervals == ()

    @pytest.mark.parametrize("part", [None, [], 7, {}, {"enwh": None}, {"enwh": -5}])
    def test_incomplete_intervals_are_kept(self, part: object) -> None:
        (interval,) = self.read(
            self.interval(charge=part, discharge=part, soc=part)
        ).intervals
        assert interval.charged is interval.discharged is None
        assert interval.state_of_charge is interval.devices_reporting is None

    @pytest.mark.parametrize("percent", [*ODD_NUMBERS, -1, 101, "200%"])
    def test_an_invalid_state_of_charge_is_none(self, percent: object) -> None:
        telemetry = self.read(
            self.interval(soc={"percent": percent}), last_reported_aggregate_soc=percent
        )
        assert telemetry.intervals[0].state_of_charge is None
        assert telemetry.last_reported_state_of_charge is None

    @pytest.mark.parametrize("percent", [0, 100])
    def test_a_battery_may_be_empty_or_full(self, percent: int) -> None:
        telemetry = self.read(
            self.interval(soc={"percent": percent}), last_reported_aggregate_soc=percent
        )
        assert telemetry.intervals[0].state_of_charge == percent
        assert telemetry.last_reported_state_of_charge == percent

    @pytest.mark.parametrize("intervals", [None, {}, 7, "none"])
    def test_may_have_no_intervals(self, intervals: object) -> None:
        document = {"system_id": ID, "intervals": intervals}
        assert BatteryTelemetry.from_api(document).intervals == ()


class TestLatestTelemetry:
    """The last reported power."""

    @staticmethod
    def read(**devices: Any) -> LatestTelemetry:
        """Return the telemetry of some devices."""
        return LatestTelemetry.from_api({"system_id": ID, "devices": devices})

    @staticmethod
    def channel(
        name: str, power: object, last_report_at: object = EPOCH
    ) -> dict[str, Any]:
        """Return a channel of a meter in the format of the cloud."""
        return {"name": name, "power": power, "last_report_at": last_report_at}

    @staticmethod
    def battery(
        mode: object, power: object, last_report_at: object = EPOCH
    ) -> dict[str, Any]:
        """Return a battery in the format of the cloud."""
        return {
            "name": "Encharge",
            "operational_mode": mode,
            "power": power,
            "last_report_at": last_report_at,
        }

    def test_reads_the_channels_that_report(self) -> None:
        telemetry = self.read(
            meters=[
                self.channel("production", 700),
                self.channel("production", 55, EPOCH - 60),
                self.channel("production", 5, None),
                self.channel("production", None, None),
                self.channel("Consumption", -12, EPOCH - 30),
            ]
        )
        assert telemetry.system_id == ID
        assert telemetry.production == (
            PowerReading(power=700, reported_at=NOON),
            PowerReading(power=55, reported_at=NOON - timedelta(minutes=1)),
            PowerReading(power=5, reported_at=None),
        )
        assert [reading.power for reading in telemetry.consumption] == [-12]
        assert telemetry.batteries == ()

    @pytest.mark.parametrize(
        ("reported", "magnitude", "power", "mode"),
        [
            ("Discharging", 500, 500, BatteryOperation.DISCHARGING),
            ("Discharging", -500, 500, BatteryOperation.DISCHARGING),
            ("Charging", 500, -500, BatteryOperation.CHARGING),
            ("charging", -500, -500, BatteryOperation.CHARGING),
            ("Idle", -15, 0, BatteryOperation.IDLE),
            ("Charging", 0, 0, BatteryOperation.CHARGING),
            ("Resting", 0, 0, BatteryOperation.UNKNOWN),
            ("Resting", 500, None, BatteryOperation.UNKNOWN),
            (None, 500, None, BatteryOperation.UNKNOWN),
            (7, 500, None, BatteryOperation.UNKNOWN),
        ],
    )
    def test_the_operational_mode_decides_the_sign_of_battery_power(
        self,
        reported: object,
        magnitude: int,
        power: int | None,
        mode: BatteryOperation,
    ) -> None:
        telemetry = self.read(encharges=[self.battery(reported, magnitude)])
        assert telemetry.batteries == (
            BatteryReading(power=power, reported_at=NOON, mode=mode, name="Encharge"),
        )

    def test_batteries_without_power_are_skipped(self) -> None:
        silent = self.battery(None, None, None)
        telemetry = self.read(encharges=[silent, self.battery("Idle", 0), silent])
        assert [battery.power for battery in telemetry.batteries] == [0]

    def test_batteries_have_identifiers(self) -> None:
        battery = self.battery("Charging", 40) | {"id": 71, "name": "IQ Battery 5"}
        (read,) = self.read(Encharges=[battery]).batteries
        assert (read.device_id, read.name) == (71, "IQ Battery 5")
        assert not {"71", "IQ Battery 5"} & set(repr(read).split("'"))

    def test_keeps_all_channels_of_meters(self) -> None:
        used = self.channel("production", 700) | {"id": 8, "channel": 1}
        unused = self.channel("production", None, None) | {"id": 8, "channel": 2}
        telemetry = self.read(meters=[used, unused, {}])
        common = {"device_id": 8, "name": "production"}
        assert telemetry.meters == (
            MeterReading(**common, channel=1, power=700, reported_at=NOON),
            MeterReading(**common, channel=2, power=None, reported_at=None),
            MeterReading(
                device_id=None, name=None, channel=None, power=None, reported_at=None
            ),
        )
        assert len(telemetry.production) == 1

    @pytest.mark.parametrize(
        ("reported", "status"),
        [
            ("PLUGGED_OUT", EvChargerStatus.PLUGGED_OUT),
            ("Plugged out", EvChargerStatus.PLUGGED_OUT),
            ("IDLE", EvChargerStatus.IDLE),
            ("CHARGING", EvChargerStatus.CHARGING),
            ("FAULTED", EvChargerStatus.FAULTED),
            ("RESTING", EvChargerStatus.UNKNOWN),
            (None, EvChargerStatus.UNKNOWN),
        ],
    )
    def test_reads_ev_chargers(self, reported: object, status: EvChargerStatus) -> None:
        charger = {"serial_number": 380, "operational_mode": reported}
        (read,) = self.read(evse=[charger, {"operational_mode": reported}]).ev_chargers
        assert read == EvChargerReading(
            serial_number="380", name=None, status=status, reported_at=None
        )

    @pytest.mark.parametrize(
        ("reported", "mode"),
        [
            ("MODE_1", HeatPumpMode.BLOCKED),
            ("Mode_2", HeatPumpMode.NORMAL),
            ("mode 3", HeatPumpMode.RECOMMENDED),
            ("MODE4", HeatPumpMode.ENFORCED),
            ("normal", HeatPumpMode.NORMAL),
            ("MODE_5", HeatPumpMode.UNKNOWN),
            ("mode", HeatPumpMode.UNKNOWN),
            (4, HeatPumpMode.UNKNOWN),
            (None, HeatPumpMode.UNKNOWN),
        ],
    )
    @pytest.mark.parametrize("kind", ["heat-pump", "heat_pumps"])
    def test_reads_heat_pumps(
        self, kind: str, reported: object, mode: HeatPumpMode
    ) -> None:
        pump = {
            "serial_number": "",
            "name": "Vario 300",
            "operational_mode": reported,
            "last_report_at": EPOCH,
        }
        (read,) = self.read(**{kind: [pump]}).heat_pumps
        assert read == HeatPumpReading(
            serial_number=None, name="Vario 300", mode=mode, reported_at=NOON
        )

    @pytest.mark.parametrize("devices", [None, [], 7, {"meters": {}, "encharges": "x"}])
    def test_may_have_no_devices(self, devices: object) -> None:
        telemetry = LatestTelemetry.from_api({"system_id": ID, "devices": devices})
        assert telemetry.production == telemetry.consumption == ()
        assert (
            telemetry.batteries == telemetry.ev_chargers == telemetry.heat_pumps == ()
        )


class TestLiveFrame:
    """One frame of live data."""

    MEASURED = {  # noqa: RUF012
        "battery_mode": "Savings Mode",
        "battery_power": -1500,
        "battery_soc": 64,
        "consumption_power": 900,
        "envoy_serial_number": ["122000000000"],
        "generator_power": 0,
        "grid_power": -600,
        "grid_status": "On Grid",
        "pv_power": 3000,
        "system_id": ID,
    }
    EXPECTED = LiveFrame(
        sampled_at=NOON + timedelta(milliseconds=250),
        production=3000,
        consumption=900,
        grid=-600,
        battery=-1500,
        generator=0,
        state_of_charge=64,
        grid_status=GridStatus.ON_GRID,
        battery_mode=BatteryMode.SAVINGS,
    )

    @staticmethod
    def read(moment: object = EPOCH * 1000, **measured: Any) -> LiveFrame:
        """Return the frame of some measurements."""
        return LiveFrame.from_api({"timestamp_epoch": moment} | measured)

    @pytest.mark.parametrize(
        "moment",
        [
            {"timestamp_epoch": EPOCH * 1000 + 250},
            {"timestamp_epoch": EPOCH + 0.25},
            {"timestamp_utc": "2026-06-01 12:00:00.250"},
            {"timestamp_epoch": None, "timestamp_utc": "2026-06-01T12:00:00.25Z"},
            {"timestamp_utc": "2026-06-01T14:00:00.25+02:00"},
            {"timestamp_utc": "2026-06-01 06:30:00.250-0530"},
        ],
    )
    def test_is_read(self, moment: dict[str, Any]) -> None:
        document = {"type": "response", **moment, **self.MEASURED}
        assert LiveFrame.from_api(document) == self.EXPECTED

    @pytest.mark.parametrize(
        ("mode", "expected"),
        [
            ("Savings Mode", BatteryMode.SAVINGS),
            ("savings", BatteryMode.SAVINGS),
            ("Self-consumption", BatteryMode.SELF_CONSUMPTION),
            ("Self - Consumption", BatteryMode.SELF_CONSUMPTION),
            ("FULL BACKUP", BatteryMode.FULL_BACKUP),
            ("DR Event Active", BatteryMode.GRID_SERVICES),
            ("Storm Guard", BatteryMode.UNKNOWN),
            (None, None),
            ("", None),
            (7, None),
        ],
    )
    def test_modes_are_compared_by_letters(
        self, mode: object, expected: BatteryMode | None
    ) -> None:
        assert self.read(battery_mode=mode, pv_power=1).battery_mode is expected

    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            ("On Grid", GridStatus.ON_GRID),
            ("off grid", GridStatus.OFF_GRID),
            ("Unknown", GridStatus.UNKNOWN),
            ("Elsewhere", GridStatus.UNKNOWN),
            (None, None),
        ],
    )
    def test_reads_the_grid_status(
        self, status: object, expected: GridStatus | None
    ) -> None:
        assert self.read(grid_status=status, pv_power=1).grid_status is expected

    @pytest.mark.parametrize("odd", [*ODD_NUMBERS, 1e12, -1e12, "1 kW"])
    def test_only_invalid_values_are_none(self, odd: object) -> None:
        frame = self.read(pv_power=odd, grid_power=5, battery_soc=odd)
        assert (frame.production, frame.grid, frame.state_of_charge) == (None, 5, None)

    @pytest.mark.parametrize("moment", ODD_MOMENTS)
    def test_a_frame_without_a_time_is_an_error(self, moment: object) -> None:
        with pytest.raises(MalformedResponseError):
            self.read(moment, pv_power=1)

    @pytest.mark.parametrize("measured", [{}, {"pv_power": "x"}, {"battery_soc": 101}])
    def test_a_frame_without_a_measurement_is_an_error(
        self, measured: dict[str, Any]
    ) -> None:
        with pytest.raises(MalformedResponseError):
            self.read(**measured)


READERS: list[Callable[[Any], Any]] = [
    System.from_api,
    SystemsPage.from_api,
    Summary.from_api,
    BatteryTelemetry.from_api,
    LatestTelemetry.from_api,
    LiveFrame.from_api,
]


@pytest.mark.parametrize(
    "value",
    [
        system(),
        summary(),
        TestBatteryTelemetry.read(TestBatteryTelemetry.interval()),
        TestLatestTelemetry.read(encharges=[TestLatestTelemetry.battery("Idle", 0)]),
        TestLiveFrame.EXPECTED,
    ],
    ids=lambda value: type(value).__name__,
)
def test_models_are_immutable(value: Any) -> None:
    with pytest.raises(AttributeError):
        setattr(value, names(value)[0], None)
    assert {value: 1}[replace(value)] == 1


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("document", [None, [], 7, "x", True])
def test_a_document_that_is_not_an_object_is_an_error(
    read: Callable[[Any], Any], document: object
) -> None:
    with pytest.raises(MalformedResponseError):
        read(document)


@pytest.mark.parametrize("read", [READERS[0], *READERS[2:5]])
@pytest.mark.parametrize(
    "system_id",
    [*ODD_NUMBERS, 0, -4711, "Barn", 2**53 + 2, 4711.5, "../..", "4711/../4712"],
)
def test_a_document_without_a_system_id_is_an_error(
    read: Callable[[Any], Any], system_id: object
) -> None:
    with pytest.raises(MalformedResponseError):
        read({"system_id": system_id})


MEMBERS = (
    "system_id name public_name timezone status connection_type live_stream systems "
    "total last_report_at last_energy_at operational_at current_power energy_today "
    "energy_lifetime last_interval_end_at summary_date modules size_w source "
    "battery_capacity_wh battery_charge_w battery_discharge_w intervals end_at charge "
    "discharge soc enwh percent devices_reporting last_reported_aggregate_soc devices "
    "meters encharges power operational_mode data timestamp_epoch timestamp_utc "
    "pv_power consumption_power grid_power battery_power generator_power battery_soc "
    "grid_status battery_mode id serial_number name channel evse heat-pump"
).split()

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(10**15, 10**400),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from([EPOCH, EPOCH * 1000, ID, 50, 815.5]),
    st.sampled_from("97% production consumption Idle Charging Discharging".split()),
    st.sampled_from(["2026-06-01", "2026-06-01 12:00:00.5", "On Grid", "Savings Mode"]),
)
documents = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=12)
    ),
    max_leaves=30,
)


@pytest.mark.parametrize("read", READERS)
@given(document=documents)
def test_any_document_is_read_within_limits_or_malformed(
    read: Callable[[Any], Any], document: Any
) -> None:
    if isinstance(document, dict):
        document = {"system_id": ID, "timestamp_epoch": EPOCH, "systems": []} | document
    try:
        value = read(json.loads(json.dumps(document)))
    except MalformedResponseError:
        return
    check(value)


LIMITS = {
    "battery_capacity": (0, 1e13),
    "charged": (0, 1e13),
    "discharged": (0, 1e13),
    "energy_today": (0, 1e13),
    "energy_lifetime": (0, 1e13),
    "state_of_charge": (0, 100),
    "last_reported_state_of_charge": (0, 100),
    "current_power": (-1e7, 1e7),
    "size": (0, 1e7),
    "battery_charge_power_limit": (0, 1e7),
    "battery_discharge_power_limit": (0, 1e7),
    "power": (-1e7, 1e7),
    "production": (-1e7, 1e7),
    "consumption": (-1e7, 1e7),
    "grid": (-1e7, 1e7),
    "battery": (-1e7, 1e7),
    "generator": (-1e7, 1e7),
    "devices_reporting": (0, 2**53),
    "modules": (0, 2**53),
}


def names(value: Any) -> list[str]:
    """Return the names of the fields of a model."""
    if is_dataclass(value):
        return [member.name for member in fields(value)]
    return list(value._fields)


def check(value: Any) -> None:
    """Assert that all values of a model are within limits."""
    for name in names(value):
        item = getattr(value, name)
        if isinstance(item, datetime):
            assert item.tzinfo is UTC
            assert 2000 <= item.year < 2100
        elif isinstance(item, int | float) and name in LIMITS:
            low, high = LIMITS[name]
            assert low <= item <= high
            assert not isinstance(item, bool)
        elif isinstance(item, str):
            assert item.encode()
        elif is_dataclass(item) or hasattr(item, "_fields"):
            check(item)
        elif isinstance(item, tuple):
            for inner in item:
                check(inner)


def test_a_very_long_name_is_truncated() -> None:
    """It becomes the name of a device."""
    data = {"system_id": 1, "name": " Home" * 1_000_000, "timezone": "E" * 4_000_000}
    system = System.from_api(data)
    assert system.name.startswith("Home Home")
    assert len(system.name) <= 100
    assert len(system.time_zone or "") == 100


def test_a_very_long_list_is_truncated() -> None:
    """A week of intervals is complete; more would block the event loop."""
    end_at = 1_782_000_000
    intervals = [{"end_at": end_at + 300 * number} for number in range(100_000)]
    for nested in (intervals, [intervals]):
        telemetry = BatteryTelemetry.from_api({"system_id": 1, "intervals": nested})
        assert 7 * 288 <= len(telemetry.intervals) <= 4_000
    page = SystemsPage.from_api({"systems": [{"system_id": 1}] * 100_000})
    assert len(page.systems) == 1_000
    values = {"start_date": "2026-06-21", "production": [5] * 100_000}
    daily = DailyEnergy.from_api(values, member="production")
    assert 40 * 366 < len(daily.values) < 20_000


@pytest.mark.parametrize("day", ["0001-01-01", "1999-12-31", "2100-01-01"])
def test_days_of_other_centuries_are_none(day: str) -> None:
    """They would overflow in conversions of time zones."""
    assert Summary.from_api({"system_id": 1, "summary_date": day}).summary_date is None
    with pytest.raises(MalformedResponseError):
        DailyEnergy.from_api({"start_date": day}, member="production")
