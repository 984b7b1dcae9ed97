"""Devices, events and alarms: valid values are read, invalid ones are None."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.api import (
    Alarm,
    AlarmEvent,
    Alarms,
    CellularModem,
    Device,
    Devices,
    DeviceStatus,
    EnphaseCloudClient,
    Event,
    Events,
    EventStatus,
    EventType,
    EventTypes,
    GatewayDevice,
    Inverter,
    InverterGateway,
    InvertersSummary,
    LatestTelemetry,
    MalformedResponseError,
    MeterDevice,
    MeterKind,
    Severity,
)
from custom_components.enphase_cloud.api.endpoints import (
    ALARMS,
    DEVICES,
    EVENT_TYPES,
    EVENTS,
    INVERTERS_SUMMARY,
    OPEN_ALARMS,
    OPEN_EVENTS,
)

from .conftest import SYSTEM_ID, FakeCloud, reply
from .test_models import ODD_MOMENTS, ODD_NAMES, ODD_NUMBERS, check

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
EPOCH = int(NOON.timestamp())
SERIAL = "482200001234"

KINDS = {
    "gateways": "gateways",
    "micros": "microinverters",
    "meters": "meters",
    "encharges": "batteries",
    "Encharges": "batteries",
    "acbs": "ac_batteries",
    "ACBs": "ac_batteries",
    "q_relays": "relays",
    "enpowers": "controllers",
    "iq_collars": "collars",
    "ev_chargers": "ev_chargers",
    "heat_pump": "heat_pumps",
    "heat-pump": "heat_pumps",
    "Heat pumps": "heat_pumps",
    "generators": "generators",
    "iq_air": "iq_airs",
}
ODD_IDS: list[Any] = [*ODD_NUMBERS, 0, -5, 7.5, f"{SERIAL}:4711", 10**400]


class TestDevices:
    """The device list."""

    @staticmethod
    def read(**kinds: Any) -> Devices:
        """Return the devices of some kinds."""
        return DEVICES.read({"system_id": SYSTEM_ID, "devices": kinds})

    def test_are_read(self) -> None:
        (micro,) = self.read(
            micros=[
                {
                    "id": 900_117,
                    "last_report_at": EPOCH,
                    "name": "Microinverter 17",
                    "serial_number": SERIAL,
                    "part_number": "800-17",
                    "sku": "IQ8-17",
                    "model": "IQ8",
                    "product_name": "IQ Eight",
                    "status": "Normal",
                    "active": True,
                    "feoc_compliant": True,
                }
            ]
        ).microinverters
        assert micro == Device(
            device_id=900_117,
            serial_number=SERIAL,
            name="Microinverter 17",
            model="IQ8",
            product_name="IQ Eight",
            sku="IQ8-17",
            part_number="800-17",
            firmware=None,
            status=DeviceStatus.NORMAL,
            active=True,
            last_report_at=NOON,
        )

    @pytest.mark.parametrize(("key", "field"), KINDS.items())
    def test_each_kind_has_its_field(self, key: str, field: str) -> None:
        devices = self.read(**{key: [{"name": "A"}, {"serial_number": 17}]})
        first, second = getattr(devices, field)
        assert (first.name, second.serial_number) == ("A", "17")
        assert devices.devices == (first, second)

    def test_unknown_kinds_are_ignored(self) -> None:
        devices = Devices.from_api(
            {"system_id": 7, "total_devices": 3, "devices": {"windmills": [{"id": 5}]}}
        )
        assert (devices.devices, devices.total) == ((), 3)

    def test_a_gateway_may_have_a_modem(self) -> None:
        modem = {
            "imei": "358800000000001",
            "part_num": "860-17",
            "sku": "MODEM-17",
            "plan_start_date": EPOCH,
            "plan_end_date": EPOCH + 86_400,
        }
        with_modem, without = self.read(
            gateways=[
                {"id": 1, "emu_sw_version": "D8.3.1", "cellular_modem": modem},
                {"id": 2, "cellular_modem": {}},
            ]
        ).gateways
        assert isinstance(with_modem, GatewayDevice)
        assert with_modem.firmware == "D8.3.1"
        assert with_modem.modem == CellularModem(
            sku="MODEM-17",
            part_number="860-17",
            plan_start_at=NOON,
            plan_end_at=NOON + timedelta(days=1),
        )
        assert "358800000000001" not in str(with_modem.modem)
        assert without.modem is None

    @pytest.mark.parametrize(
        ("config_type", "kind"),
        [
            ("Production", MeterKind.PRODUCTION),
            ("Net", MeterKind.NET),
            ("total", MeterKind.TOTAL),
            ("Gas", MeterKind.UNKNOWN),
            (None, MeterKind.UNKNOWN),
        ],
    )
    def test_reads_the_configuration_of_a_meter(
        self, config_type: object, kind: MeterKind
    ) -> None:
        one, three, odd = self.read(
            meters=[
                {
                    "id": 1,
                    "config_type": config_type,
                    "config_phase": "single",
                    "state": "enabled",
                },
                {"id": 2, "config_phase": "Three", "state": "disabled"},
                {"id": 3, "config_phase": "seven", "state": None},
            ]
        ).meters
        assert isinstance(one, MeterDevice)
        assert (one.kind, one.phases, one.enabled) == (kind, 1, True)
        assert (three.phases, three.enabled) == (3, False)
        assert (odd.phases, odd.enabled) == (None, None)

    def test_chargers_and_heat_pumps_have_no_id(self) -> None:
        devices = self.read(
            ev_chargers=[{"id": "", "serial_number": "25", "firmware": "1.2"}],
            heat_pump=[{"id": "", "serial_number": "", "name": "Vario", "SKU": "V3"}],
            generators=[{"id": 8, "serial_number": "", "status": "on"}],
            iq_air=[{"id": "", "name": "Air", "status": "active"}],
        )
        (charger,), (pump,) = devices.ev_chargers, devices.heat_pumps
        assert (charger.device_id, charger.serial_number) == (None, "25")
        assert charger.firmware == "1.2"
        assert (pump.device_id, pump.serial_number, pump.sku) == (None, None, "V3")
        assert devices.generators[0].status is DeviceStatus.ON
        assert devices.iq_airs[0].status is DeviceStatus.ACTIVE

    @pytest.mark.parametrize("odd", ODD_IDS)
    def test_an_invalid_id_is_none(self, odd: object) -> None:
        (device,) = self.read(micros=[{"id": odd, "name": "A"}]).microinverters
        assert device.device_id is None

    @pytest.mark.parametrize("odd", [None, True, "", " ", [], {}, 1.5, -3, "x" * 65])
    def test_an_invalid_serial_number_is_none(self, odd: object) -> None:
        devices = self.read(micros=[{"serial_number": odd, "name": "A"}])
        assert devices.microinverters[0].serial_number is None

    def test_devices_without_any_identifier_are_skipped(self) -> None:
        devices = self.read(micros=[{"status": "normal"}, None, 7, [{"id": 5}]])
        assert [device.device_id for device in devices.microinverters] == [5]

    @pytest.mark.parametrize("moment", ODD_MOMENTS)
    def test_may_never_have_reported(self, moment: object) -> None:
        devices = self.read(micros=[{"id": 5, "last_report_at": moment}])
        assert devices.microinverters[0].last_report_at is None

    @pytest.mark.parametrize(
        ("reported", "active"),
        [(True, True), ("true", True), ("False", False), (1, None)],
    )
    def test_are_active_or_not(self, reported: object, active: bool | None) -> None:  # noqa: FBT001
        devices = self.read(micros=[{"id": 5, "active": reported}])
        assert devices.microinverters[0].active is active

    @pytest.mark.parametrize("name", ODD_NAMES)
    def test_an_unknown_status_is_unknown(self, name: object) -> None:
        (device,) = self.read(micros=[{"id": 5, "status": name}]).microinverters
        assert device.status is DeviceStatus.UNKNOWN
        assert device.status.is_problem is None

    @pytest.mark.parametrize(
        ("status", "problem"),
        [("normal", False), ("power", True), ("micro", True), ("retired", False)],
    )
    def test_a_status_may_be_a_problem(self, status: str, *, problem: bool) -> None:
        assert DeviceStatus.from_api(status).is_problem is problem

    @pytest.mark.parametrize("devices", [None, [], 7, "x", {"micros": {}}])
    def test_the_list_may_be_empty(self, devices: object) -> None:
        read = Devices.from_api({"system_id": SYSTEM_ID, "devices": devices})
        assert read.devices == ()


class TestInvertersSummary:
    """Pages of microinverters."""

    @staticmethod
    def read(*inverters: Any, **gateway: Any) -> InvertersSummary:
        """Return a page of one gateway."""
        return INVERTERS_SUMMARY.read([gateway | {"micro_inverters": list(inverters)}])

    def test_is_read(self) -> None:
        summary = self.read(
            {
                "id": 900_117,
                "serial_number": SERIAL,
                "model": "IQ8",
                "part_number": "800-17",
                "sku": "IQ8-17",
                "status": "normal",
                "power_produced": {"value": 217, "units": "W", "precision": 0},
                "proc_load": "520-00082-r01-v04.27.04",
                "param_table": "540-00142-r01-v04.22.09",
                "envoy_serial_number": "202400000017",
                "energy": {"value": 1_234_567, "units": "Wh", "precision": 0},
                "grid_profile": "0123456789abcdef01234567",
                "last_report_date": EPOCH,
            },
            signal_strength=4,
        )
        inverter = Inverter(
            device_id=900_117,
            serial_number=SERIAL,
            gateway_serial_number="202400000017",
            model="IQ8",
            part_number="800-17",
            sku="IQ8-17",
            firmware="520-00082-r01-v04.27.04",
            parameter_table="540-00142-r01-v04.22.09",
            grid_profile="0123456789abcdef01234567",
            status=DeviceStatus.NORMAL,
            power=217,
            energy=1_234_567.0,
            last_report_at=NOON,
        )
        gateway = InverterGateway(signal_strength=4, inverters=(inverter,), listed=1)
        assert summary == InvertersSummary(gateways=(gateway,))
        assert summary.by_id == {SERIAL: inverter}

    @pytest.mark.parametrize(
        ("reported", "power"),
        [
            (96, 96),
            ("96", 96),
            ({"value": 96}, 96),
            ({"value": "96.4", "units": "w"}, 96),
            ({"value": 0.25, "units": "kW"}, 250),
            ({"value": 96, "units": "horses"}, None),
            ({"value": 96, "units": None}, None),
            ({"value": None, "units": "W"}, None),
            ({}, None),
            *((odd, None) for odd in ODD_NUMBERS if odd != {}),
            ({"value": 1e308, "units": "kW"}, None),
        ],
    )
    def test_power_has_several_forms(self, reported: object, power: int | None) -> None:
        (inverter,) = self.read({"id": 5, "power_produced": reported}).inverters
        assert inverter.power == power

    @pytest.mark.parametrize(
        ("reported", "energy"),
        [
            ({"value": 232, "units": "Wh"}, 232),
            ({"value": 1.5, "units": "MWh"}, 1_500_000),
            (232, 232),
            (-1, None),
            ({"value": -1, "units": "Wh"}, None),
            ({"value": 1e308, "units": "kWh"}, None),
            *((odd, None) for odd in ODD_NUMBERS),
        ],
    )
    def test_energy_has_several_forms(
        self, reported: object, energy: float | None
    ) -> None:
        (inverter,) = self.read({"id": 5, "energy": reported}).inverters
        assert inverter.energy == energy

    @pytest.mark.parametrize("signal", [*ODD_NUMBERS, -1, 6])
    def test_an_invalid_signal_strength_is_none(self, signal: object) -> None:
        summary = self.read({"id": 5}, signal_strength=signal)
        assert summary.gateways[0].signal_strength is None

    def test_reads_microinverters_by_gateway(self) -> None:
        summary = INVERTERS_SUMMARY.read(
            [
                {"signal_strength": 5, "micro_inverters": [{"id": 1}, "x", {}]},
                {"signal_strength": 2, "micro_inverters": [{"serial_number": "2"}]},
                {"signal_strength": 0, "micro_inverters": None},
                {"signal_strength": 1, "micro_inverters": []},
            ]
        )
        assert [each.signal_strength for each in summary.gateways] == [5, 2, 1]
        assert list(summary.by_id) == [1, "2"]
        assert summary.listed == 4
        assert summary.total is None

    @pytest.mark.parametrize(
        "document",
        [
            None,
            {},
            7,
            "x",
            ["x"],
            [{}],
            [{"micro_inverters": None}],
            [{"micro_inverters": ["x", {}]}],
        ],
    )
    def test_a_page_without_a_readable_entry_is_an_error(
        self, document: object
    ) -> None:
        with pytest.raises(MalformedResponseError):
            InvertersSummary.from_api(document)

    @pytest.mark.parametrize("document", [[], [{"micro_inverters": []}]])
    def test_may_be_empty(self, document: object) -> None:
        assert InvertersSummary.from_api(document).inverters == ()

    async def test_comes_in_pages(
        self, client: EnphaseCloudClient, cloud: FakeCloud
    ) -> None:
        """A page that is not full is the last one."""
        rows = [{"id": number} for number in range(1, 131)]
        for page in (rows[:100], rows[100:]):
            cloud.script(reply([{"micro_inverters": page}]))
        found = await client.pages(INVERTERS_SUMMARY, query={"site_id": SYSTEM_ID})
        assert [inverter.device_id for inverter in found] == list(range(1, 131))
        assert [dict(request.query) for request in cloud.requests] == [
            {"page": page, "size": "100", "site_id": str(SYSTEM_ID)} for page in "12"
        ]


class TestEvents:
    """Open events and those of a span."""

    @staticmethod
    def read(*events: Any) -> tuple[Event, ...]:
        """Return some events."""
        return EVENTS.read({"system_id": SYSTEM_ID, "events": list(events)}).events

    @pytest.mark.parametrize(
        ("reported", "status"),
        [
            ("Open", EventStatus.OPEN),
            ("open", EventStatus.OPEN),
            ("Closed", EventStatus.CLOSED),
            ("Info", EventStatus.INFO),
            ("Ajar", EventStatus.UNKNOWN),
            (None, EventStatus.UNKNOWN),
        ],
    )
    def test_are_read(self, reported: object, status: EventStatus) -> None:
        document = {
            "status": reported,
            "event_type_id": 31,
            "event_start_time": EPOCH,
            "event_end_time": EPOCH + 60,
            "serial_number": SERIAL,
        }
        assert self.read(document) == (
            Event(
                event_type_id=31,
                status=status,
                started_at=NOON,
                ended_at=NOON + timedelta(minutes=1),
                serial_number=SERIAL,
            ),
        )

    @pytest.mark.parametrize("moment", ODD_MOMENTS)
    def test_events_need_a_start_but_no_end(self, moment: object) -> None:
        sound = {"event_type_id": 31, "event_start_time": EPOCH}
        (event,) = self.read(
            sound | {"event_end_time": moment}, sound | {"event_start_time": moment}
        )
        assert event.ended_at is None

    @pytest.mark.parametrize("number", [*ODD_NUMBERS, -1])
    def test_events_without_a_type_are_skipped(self, number: object) -> None:
        odd = {"event_type_id": number, "event_start_time": EPOCH}
        assert self.read(odd) == ()

    def test_events_may_be_in_an_object_of_lists(self) -> None:
        """As in the schemas of the specification."""
        event = {"event_type_id": 31, "event_start_time": EPOCH}
        document = {"system_id": SYSTEM_ID, "events": {"a": [event], "b": [event]}}
        assert len(OPEN_EVENTS.read(document).events) == 2


class TestAlarms:
    """Open alarms and those of a span."""

    @staticmethod
    def read(**members: Any) -> Alarm:
        """Return an alarm."""
        sound = {"event_type_id": 31, "alarm_start_time": EPOCH, **members}
        (alarm,) = ALARMS.read({"system_id": SYSTEM_ID, "alarms": [sound]}).alarms
        return alarm

    def test_are_read(self) -> None:
        event = {"serial_number": SERIAL, "start_date": EPOCH - 60, "end_date": None}
        alarm = self.read(id="17", cleared=False, severity=3, events=[event])
        assert alarm == Alarm(
            alarm_id="17",
            event_type_id=31,
            severity=Severity.WARNING,
            cleared=False,
            started_at=NOON,
            ended_at=None,
            events=(
                AlarmEvent(
                    serial_number=SERIAL,
                    started_at=NOON - timedelta(minutes=1),
                    ended_at=None,
                ),
            ),
        )

    @pytest.mark.parametrize(
        ("reported", "severity"),
        [
            (1, "fatal"),
            (2, "error"),
            (3.0, "warning"),
            ("4", "info"),
            (5, "debug"),
            (6, "none"),
            ("Error", "error"),
            (0, "unknown"),
            (7, "unknown"),
            (-1, "unknown"),
            (True, "unknown"),
            (None, "unknown"),
            ([], "unknown"),
        ],
    )
    def test_reads_the_severity(self, reported: object, severity: str) -> None:
        assert self.read(severity=reported).severity == severity

    @pytest.mark.parametrize(
        ("members", "cleared"),
        [
            ({}, False),
            ({"alarm_end_time": EPOCH}, True),
            ({"cleared": True}, True),
            ({"cleared": "false", "alarm_end_time": EPOCH}, False),
        ],
    )
    def test_reads_whether_an_alarm_is_cleared(
        self, members: dict[str, Any], *, cleared: bool
    ) -> None:
        assert self.read(**members).cleared is cleared

    def test_the_key_is_the_same_in_all_documents(self) -> None:
        """The ids have different forms."""
        alarm = {"id": "4711.8.17", "event_type_id": 31, "alarm_start_time": EPOCH}
        document = {"system_id": SYSTEM_ID, "alarms": [alarm]}
        (found,) = OPEN_ALARMS.read(document).alarms
        assert found.key == self.read(id="17").key == (31, NOON)

    @pytest.mark.parametrize("member", ["event_type_id", "alarm_start_time"])
    def test_alarms_without_a_type_or_a_start_are_skipped(self, member: str) -> None:
        alarm = {"event_type_id": 31, "alarm_start_time": EPOCH} | {member: None}
        document = {"system_id": SYSTEM_ID, "alarms": [alarm]}
        assert Alarms.from_api(document).alarms == ()


class TestEventTypes:
    """Types of events."""

    def test_are_read(self) -> None:
        prose = "One sentence. " * 20
        types = EVENT_TYPES.read(
            {
                "event_types": [
                    {
                        "event_type_id": 31,
                        "event_type_key": "panel_dark",
                        "stateful": True,
                        "event_name": "Panel is dark",
                        "event_description": prose,
                        "recommended_action": "  ",
                    },
                    {"event_type_id": None},
                    {"event_type_id": "32", "event_description": "x" * 100_000},
                ]
            }
        )
        first, second = types.by_id[31], types.by_id[32]
        assert first == EventType(
            event_type_id=31,
            key="panel_dark",
            name="Panel is dark",
            description=prose.strip(),
            recommended_action=None,
            stateful=True,
        )
        assert len(second.description or "") == 2_000
        assert second.name is second.stateful is None


READERS: list[Callable[[Any], Any]] = [
    Devices.from_api,
    Events.from_api,
    Alarms.from_api,
    EventTypes.from_api,
    InvertersSummary.from_api,
    LatestTelemetry.from_api,
]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("document", [None, 7, "x", True, {"system_id": "Barn"}])
def test_a_document_of_a_wrong_type_is_an_error(
    read: Callable[[Any], Any], document: object
) -> None:
    with pytest.raises(MalformedResponseError):
        read(document)


@pytest.mark.parametrize("read", READERS[1:4])
@pytest.mark.parametrize("entries", [None, 7, "x", True])
def test_a_list_of_a_wrong_type_is_an_error(
    read: Callable[[Any], Any], entries: object
) -> None:
    names = ("events", "alarms", "event_types")
    with pytest.raises(MalformedResponseError):
        read({"system_id": SYSTEM_ID} | dict.fromkeys(names, entries))


MEMBERS = (
    "id serial_number name sku SKU model part_number emu_sw_version firmware status "
    "active state config_type config_phase product_name last_report_at cellular_modem "
    "part_num plan_start_date plan_end_date micros meters gateways q_relays acbs "
    "encharges enpowers ev_chargers heat_pump iq_collars iq_air generators devices "
    "total_devices signal_strength micro_inverters power_produced value units energy "
    "precision proc_load last_report_date events alarms event_types event_type_id "
    "event_type_key stateful event_name event_start_time event_end_time cleared "
    "severity alarm_start_time alarm_end_time start_date end_date evse heat-pump "
    "operational_mode channel power"
).split()
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(10**15, 10**400),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from([EPOCH, EPOCH * 1000, SERIAL, 5, 815.5, "true", "97%"]),
    st.sampled_from("normal micro W kWh Net single Open MODE_2 CHARGING".split()),
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
@given(document=documents, entries=st.lists(documents, max_size=4))
def test_any_document_is_read_within_limits_or_malformed(
    read: Callable[[Any], Any], document: Any, entries: list[Any]
) -> None:
    lists = dict.fromkeys(("events", "alarms", "event_types"), entries)
    named = {"system_id": SYSTEM_ID, "devices": {"micros": entries}, **lists}
    whole = named | document if isinstance(document, dict) else named
    for candidate in (document, whole, entries, [{"micro_inverters": entries}]):
        try:
            value = read(json.loads(json.dumps(candidate)))
        except MalformedResponseError:
            continue
        check(value)


@pytest.mark.parametrize(
    "value",
    [
        TestDevices.read(
            gateways=[{"id": 900_117, "serial_number": SERIAL, "name": f"G {SERIAL}"}],
            micros=[{"id": 900_117, "serial_number": SERIAL, "name": f"M {SERIAL}"}],
            meters=[{"id": 900_117, "serial_number": SERIAL, "name": f"E {SERIAL}"}],
        ),
        TestInvertersSummary.read(
            {"id": 900_117, "serial_number": SERIAL, "envoy_serial_number": SERIAL}
        ),
        TestEvents.read(
            {"event_type_id": 3, "event_start_time": EPOCH, "serial_number": SERIAL}
        ),
        TestAlarms.read(id="900117.1.2", events=[{"serial_number": SERIAL}]),
        LatestTelemetry.from_api(
            {
                "system_id": 7,
                "devices": {
                    "meters": [{"id": 900_117}],
                    "encharges": [{"id": 900_117, "name": SERIAL, "power": 0}],
                    "evse": [{"serial_number": SERIAL, "name": SERIAL}],
                    "heat-pump": [{"serial_number": SERIAL, "name": SERIAL}],
                },
            }
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_repr_omits_identifiers(value: object) -> None:
    """A model may be logged."""
    assert SERIAL not in repr(value)
    assert "900117" not in repr(value)
    assert "900_117" not in repr(value)


def test_a_very_long_list_is_truncated() -> None:
    """More would block the event loop."""
    rows = [{"id": number} for number in range(1, 100_000)]
    assert len(TestDevices.read(micros=rows).devices) <= 4_000
    summary = InvertersSummary.from_api([{"micro_inverters": rows}])
    assert 100 <= len(summary.inverters) <= 4_000
    empty: list[Any] = [{"micro_inverters": []}]
    gateways = InvertersSummary.from_api(empty * 100_000).gateways
    assert len(gateways) <= 4_000
