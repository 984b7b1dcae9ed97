"""Plans, applications, accounts and systems."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal

from .alarms import WARNING, EventLog
from .appliances import ApplianceOwner
from .microinverters import Microinverter
from .moments import STEP, Window, epoch, midnight
from .parts import Meter, Part, Replaced, SecondGateway, Silence, is_one_of
from .physics import Storage


class AccessControl(StrEnum):
    """An access control of an application."""

    SYSTEM_DETAILS = "System Details"
    PRODUCTION = "Site Level Production Monitoring"
    CONSUMPTION = "Site Level Consumption Monitoring"
    DEVICES = "Device Level Monitoring"
    CONFIGURATION = "System Configurations"
    STREAMING = "Streaming APIs"
    CHARGER_MONITORING = "EV Charger Monitoring"
    CHARGER_CONTROL = "EV Charger Control"


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan: the limits and access controls of an application."""

    name: str
    per_minute: int
    per_month: int
    access: frozenset[AccessControl]


_WATT = frozenset(
    {
        AccessControl.SYSTEM_DETAILS,
        AccessControl.PRODUCTION,
        AccessControl.CONSUMPTION,
        AccessControl.CHARGER_MONITORING,
    }
)
_KILOWATT = _WATT | {AccessControl.DEVICES, AccessControl.STREAMING}
_MEGAWATT = _KILOWATT | {AccessControl.CONFIGURATION}
_PARTNER = _MEGAWATT | {AccessControl.CHARGER_CONTROL}

type PlanName = Literal["watt", "kilowatt", "megawatt", "partner"]

PLANS: dict[PlanName, Plan] = {
    "watt": Plan("Watt", 10, 1_000, _WATT),
    "kilowatt": Plan("Kilowatt", 50, 50_000, _KILOWATT),
    "megawatt": Plan("Megawatt", 100, 300_000, _MEGAWATT),
    "partner": Plan("Partner", 300, 1_500_000, _PARTNER),
}

LIVE_PRICE_USD = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """A developer application; without `redirect_uris` all are accepted."""

    name: str
    client_id: str
    client_secret: str
    api_key: str
    plan: Plan
    access: frozenset[AccessControl]
    redirect_uris: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A home owner's login."""

    email: str
    password: str
    user_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The address of a system."""

    city: str = "Springfield"
    state: str = "CA"
    country: str = "US"
    postal_code: str = "90001"


type Connection = Literal["ethernet", "wifi", "cellular"]


@dataclass(slots=True, kw_only=True, eq=False)
class System(ApplianceOwner):
    """A system of the cloud, with its events.

    `battery_sign` is the sign of charging in `latest_telemetry`; the specification only
    says "consumption - battery = home load" (hence +1).
    `dark_noise_w` is the largest power, of either sign, of a production meter at night.
    `corrections` makes the newest intervals incomplete at first.
    `time_zone` is that of days in documents; habits follow the time zone of the plant.
    `listed` replaces members of the entry of the system in lists of systems.
    `listed_size_w` replaces the size of the plant in the summary.
    Each of several `production_meters` measures a part of the production.
    Without `dark_intervals` production telemetry omits intervals without production.
    `device_statuses` replaces statuses of devices by serial number.
    """

    account: Account
    name: str
    time_zone: str
    address: Address = field(default_factory=Address)
    connection: Connection = "ethernet"
    meters: frozenset[Meter] = frozenset({"production", "consumption"})
    consumption_config: Literal["Net", "Total"] = "Net"
    phases: Literal[1, 3] = 1
    status: str = "normal"
    gateway_version: str = "8.3.5167"
    live_stream: bool = True
    battery_sign: Literal[1, -1] = 1
    corrections: bool = True
    dark_noise_w: int = 0
    second_gateway: SecondGateway | None = None
    dark_intervals: bool = True
    listed_size_w: int | None = None
    upload_pauses: list[Window] = field(default_factory=list)
    production_meters: int = 1
    replaced: list[Replaced] = field(default_factory=list)
    shared_with: list[Account] = field(default_factory=list)
    listed: dict[str, object] = field(default_factory=dict)
    event_log: EventLog = field(default_factory=EventLog)
    device_statuses: dict[str, str] = field(default_factory=dict)
    relays: int = 0
    ac_batteries: int = 0
    collars: int = 0
    iq_airs: int = 0

    @property
    def operational_at(self) -> int:
        """Return when the system began to operate."""
        return midnight(self.plant.commissioned, self.plant.time_zone)

    @property
    def gateway_serial(self) -> str:
        """Return the serial number of the first gateway."""
        return f"2024{self.system_id:08}"

    @property
    def gateway_serials(self) -> list[str]:
        """Return the serial numbers of all gateways."""
        second = f"2025{self.system_id:08}"
        return [self.gateway_serial, *([second] if self.second_gateway else [])]

    def gateway_of(self, micro: Microinverter) -> str:
        """Return the serial number of the gateway to which a microinverter reports."""
        second = self.second_gateway
        last_of_first = self.modules - (second.panels if second else 0)
        return self.gateway_serials[micro.position > last_of_first]

    def is_visible_to(self, account: Account) -> bool:
        """Return whether an account owns the system or has access to it."""
        viewers = (self.account, *self.shared_with)
        return account.user_id in {viewer.user_id for viewer in viewers}

    def storage_at(self, moment: int) -> Storage | None:
        """Return the batteries that are installed at a moment, if any."""
        storage = self.plant.storage
        if storage is None or not storage.is_there(moment):
            return None
        return storage.as_of(moment)

    def battery_units(self, moment: int) -> list[int]:
        """Return the numbers of the batteries that are installed at a moment."""
        storage = self.plant.storage
        if storage is None or not storage.is_there(moment):
            return []
        return storage.units_at(moment)

    def silence(self, part: Part, now: datetime) -> None:
        """Stop the reports of a part, which stays listed."""
        self.silences.append(Silence(part, Window(epoch(now))))

    def resume_part(self, part: Part, now: datetime) -> None:
        """Resume the reports of a part."""
        self.silences = [
            replace(each, window=replace(each.window, end=epoch(now)))
            if each.part == part and each.window.end is None
            else each
            for each in self.silences
        ]

    def install_meter(self, meter: Meter) -> None:
        """Add a meter."""
        self.meters |= {meter}

    def remove_meter(self, meter: Meter) -> None:
        """Remove a meter, also from lists."""
        self.meters -= {meter}

    def replace_meter(self, meter: Meter, now: datetime) -> None:
        """Replace a meter; the old one stays listed without reports."""
        self.replaced.append(Replaced(meter, epoch(now)))

    def remove_batteries(self, now: datetime) -> None:
        """Remove all batteries from the next step of 5 minutes on."""
        if self.plant.storage is not None:
            removed = (epoch(now) // STEP + 1) * STEP
            storage = replace(self.plant.storage, removed=removed)
            self.plant = replace(self.plant, storage=storage)

    def remove_battery(self, unit: int, now: datetime) -> None:
        """Remove a battery by its number, from 1; raises KeyError if it is missing.

        It disappears from lists at once; its capacity and power are missing from the
        next midnight on.
        """
        units = self.battery_units(epoch(now))
        if unit not in units:
            raise KeyError(unit)
        storage = self.plant.storage
        if storage is None or units == [unit]:
            self.remove_batteries(now)
            return
        departures = (*storage.departures, (unit, epoch(now)))
        storage = replace(storage, departures=departures)
        self.plant = replace(self.plant, storage=storage)

    def install_batteries(self, storage: Storage, now: datetime) -> None:
        """Install the first batteries from the next step of 5 minutes on."""
        installed = (epoch(now) // STEP + 1) * STEP
        self.plant = replace(self.plant, storage=replace(storage, installed=installed))

    def last_read_at(self, part: Part, reported: int) -> int:
        """Return when a part was last read before a report at `reported`.

        Parts of the second gateway are read earlier, by its `behind`.
        """
        second = self.second_gateway
        if second is not None and is_one_of(part, second.parts):
            reported -= second.behind
        silent = [
            each.window.start
            for each in self.silences
            if is_one_of(part, {each.part}) and reported in each.window
        ]
        return min([reported, *silent])

    def reports_all(self, part: Part, start: int, end: int) -> bool:
        """Return whether a part reports during all of [start, end)."""
        return not any(
            is_one_of(part, {each.part}) and each.window.overlaps(start, end)
            for each in self.silences
        )

    def open_alarm(
        self,
        event_type: int | str,
        at: datetime,
        *,
        severity: int | None = WARNING,
        serials: Collection[str] = (),
    ) -> int:
        """Start an alarm of devices, by default the gateway; return its number.

        `event_type` is the number or key of a type; raises KeyError if it is unknown.
        Without a severity it is an event without an alarm.
        """
        serials = serials or (self.gateway_serial,)
        return self.event_log.begin(event_type, at, severity=severity, serials=serials)

    def clear_alarm(self, number: int, at: datetime) -> None:
        """End an alarm or event by its number; raises KeyError if it is unknown."""
        self.event_log.end(number, at)

    def start_grid_outage(self, start: datetime, end: datetime | None = None) -> None:
        """Add a grid outage from `start` to `end`, or without an end.

        An outage is extended to whole steps of 5 minutes.
        """
        first = epoch(start) // STEP * STEP
        last = None if end is None else -(-epoch(end) // STEP) * STEP
        outages = (*self.plant.outages, Window(first, last))
        self.plant = replace(self.plant, outages=outages)

    def end_grid_outage(self, now: datetime) -> None:
        """End current outages at the end of the current step."""
        end = (epoch(now) // STEP + 1) * STEP
        outages = tuple(_ended(self.plant.outages, end))
        self.plant = replace(self.plant, outages=outages)

    def go_offline(self, now: datetime) -> None:
        """Stop reports and live data of the gateway."""
        self.offline.append(Window(epoch(now)))

    def come_online(self, now: datetime) -> None:
        """Reconnect the gateway; its next report includes all missing data."""
        self.offline = _ended(self.offline, epoch(now))
        if self.is_behind:
            self.deliver(now, self.settings_delay)

    def pause_uploads(self, now: datetime) -> None:
        """Stop reports, but not live data."""
        self.upload_pauses.append(Window(epoch(now)))

    def resume_uploads(self, now: datetime) -> None:
        """Resume reports."""
        self.upload_pauses = _ended(self.upload_pauses, epoch(now))


def _ended(windows: Iterable[Window], end: int) -> list[Window]:
    """Return the windows, with current ones ended."""
    return [replace(window, end=end) if end in window else window for window in windows]
