"""The data that has arrived in the cloud: late, and corrected later.

A gateway reports every 15 minutes (on cellular every 6 hours), up to a minute after the
quarter hour, on Wi-Fi after a varying 4 to 9 minutes; a report is visible some minutes
later. Meters and batteries are read at the quarter hour, independent of the time of the
report. The newest intervals of a report may lack a device; a later report completes
them within three hours.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from .microinverters import Microinverter
from .moments import DAY, HOUR, QUARTER, STEP, day_of
from .noise import fraction
from .physics import Flow, Power, Storage, energy, power
from .world import System

_UPLOAD_PERIOD = {"ethernet": QUARTER, "wifi": QUARTER, "cellular": 6 * HOUR}
_PHASE = {"ethernet": (15, 60), "wifi": (250, 520), "cellular": (15, 60)}
"""Seconds from the quarter hour to the report: least and most."""
_OFF_THE_MARK = (120, 210)
"""Seconds from the quarter hour to the shown end of the newest interval on Wi-Fi."""
_SETTLED_AFTER = 3 * HOUR
MICRO_EXCESS_PERCENT = 1
"""Microinverters measure about this much more than the meter."""
_SILENT_PERIODS = 3
"""After this number of missing reports the system is shown as not reporting."""

_COMPLETE_AT_ONCE = 0.85
_COMPLETE_SOON = 0.97
"""The shares of intervals that are complete in the first and in the next report."""


@dataclass(frozen=True, slots=True)
class Report:
    """A report with all data up to `taken_at`; documents show it from `visible_at`."""

    taken_at: int
    visible_at: int


def upload_period(system: System) -> int:
    """Return the seconds between two reports."""
    return _UPLOAD_PERIOD[system.connection]


def last_report(system: System, now: int) -> Report | None:
    """Return the newest report that is visible now."""
    period = upload_period(system)
    seed = system.plant.seed
    number = now // period
    while (taken_at := _taken_at(system, number)) >= system.operational_at:
        silence = [
            window.start
            for window in (*system.offline, *system.upload_pauses)
            if taken_at in window
        ]
        if silence:
            number = min(number - 1, min(silence) // period)
            continue
        visible_at = taken_at + 40 + int(200 * fraction(seed, "latency", number))
        if visible_at <= now:
            return Report(taken_at, visible_at)
        number -= 1
    return None


def _taken_at(system: System, number: int) -> int:
    """Return the time of a report; its phase is constant, but random on Wi-Fi."""
    seed = system.plant.seed
    shortest, longest = _PHASE[system.connection]
    drawn = ("phase", number) if system.connection == "wifi" else ("phase",)
    phase = shortest + int((longest - shortest) * fraction(seed, *drawn))
    return number * upload_period(system) + phase


class Published:
    """The data of a system that documents show now."""

    def __init__(self, system: System, now: int) -> None:
        """Find the newest visible report."""
        self.system = system
        self.now = now
        report = last_report(system, now)
        self.has_reported = report is not None
        self.last_report_at = (
            system.operational_at if report is None else report.taken_at
        )

    @property
    def until(self) -> int:
        """Return the end of the newest published interval of 15 minutes."""
        return self.last_report_at // QUARTER * QUARTER

    @property
    def is_metered(self) -> bool:
        """Return whether a meter measures production."""
        return "production" in self.system.meters

    @property
    def has_produced(self) -> bool:
        """Return whether there ever was a published interval with production."""
        return self.sum(Flow.PRODUCTION, self.system.operational_at, self.until) > 0

    @property
    def measured_at(self) -> int:
        """Return when the current power was measured.

        A meter is read at the quarter; microinverters report every 5 minutes.
        """
        step = QUARTER if self.is_metered else STEP
        return self.last_report_at // step * step

    @property
    def produced_until(self) -> int:
        """Return the end of the newest published interval with production."""
        if self.is_metered and self.system.dark_noise_w:
            return self.until + self._off_the_mark(self.until)
        if self.is_metered:
            day = range(self.until, self.until - DAY, -QUARTER)
            end = next((end for end in day if self.energy(Flow.PRODUCTION, end)), None)
            return day[-1] if end is None else end + self._off_the_mark(end)
        day = range(self.measured_at, self.measured_at - DAY, -STEP)
        return next((end for end in day if self.micro_energy(end)), day[-1])

    def _off_the_mark(self, end: int) -> int:
        if self.system.connection != "wifi":
            return 0
        least, most = _OFF_THE_MARK
        seed = self.system.plant.seed
        return least + int((most - least) * fraction(seed, "off the mark", end))

    @property
    def status(self) -> str:
        """Return the status of the system: `comm` if reports are missing."""
        silence = self.now - self.last_report_at
        if silence > _SILENT_PERIODS * upload_period(self.system):
            return "comm"
        return self.system.status

    @property
    def measured_in_the_dark(self) -> bool:
        """Return whether there was no production in the newest reported step."""
        end = self.last_report_at // STEP * STEP
        return not energy(self.system.plant, Flow.PRODUCTION, end - STEP, end)

    def status_of(self, micro: Microinverter) -> str:
        """Return a microinverter's status: `micro` without reports, `power` if dead."""
        if micro.serial in self.system.device_statuses:
            return self.system.device_statuses[micro.serial]
        roof = self.system.plant.roof
        if roof.is_retired(micro.position, self.now):
            return "retired"
        if self.system.is_silent(micro, self.last_report_at):
            return "micro"
        dead = roof.ratio(micro.position, self.last_report_at) == 0
        return "power" if dead else "normal"

    def today(self) -> str:
        """Return the system's local date."""
        return day_of(self.now, self.system.time_zone).isoformat()

    def meta(self) -> dict[str, object]:
        """Return the `meta` object of many documents."""
        return {
            "status": self.status,
            "last_report_at": self.last_report_at,
            "last_energy_at": self.until,
            "operational_at": self.system.operational_at,
        }

    def devices_reporting(self, end: int, total: int) -> int:
        """Return how many of `total` devices the interval up to `end` includes."""
        return total if self._is_complete(end) else total - 1

    def lacking(self, end: int, total: int) -> int | None:
        """Return the device, from 1 to `total`, that the interval lacks, if any."""
        if self._is_complete(end):
            return None
        return 1 + int(total * fraction(self.system.plant.seed, "lacking", end))

    def _is_complete(self, end: int) -> bool:
        age = self.last_report_at - end
        if age >= _SETTLED_AFTER or not self.system.corrections:
            return True
        draw = fraction(self.system.plant.seed, "late", end)
        if draw < _COMPLETE_AT_ONCE:
            return True
        return draw < _COMPLETE_SOON and age >= upload_period(self.system)

    def intervals(self, start: int, end: int, seconds: int = QUARTER) -> Iterator[int]:
        """Yield the ends of the published intervals in (start, end]."""
        first = max(start, self.system.operational_at) // seconds * seconds
        last = min(end, self.last_report_at) // seconds * seconds
        return iter(range(first + seconds, last + 1, seconds))

    def omits(self, end: int, seconds: int) -> bool:
        """Return whether production telemetry omits an interval without production."""
        if self.system.dark_intervals:
            return False
        return not energy(self.system.plant, Flow.PRODUCTION, end - seconds, end)

    def micro_energy(self, end: int) -> int:
        """Return the Wh that microinverters report for the 5 minutes before `end`.

        If there is a meter, they are MICRO_EXCESS_PERCENT higher than its Wh.
        """
        true = energy(self.system.plant, Flow.PRODUCTION, end - STEP, end)
        total = self.system.active_modules
        reported = true * self.devices_reporting(end, total) // total
        if self.is_metered:
            reported += reported * MICRO_EXCESS_PERCENT // 100
        return reported

    def energy(self, flow: Flow, end: int) -> int:
        """Return the published Wh of the 15 minutes before `end`."""
        if flow is Flow.PRODUCTION and not self.is_metered:
            return sum(self.micro_energy(end - step) for step in (0, STEP, 2 * STEP))
        total = self._batteries if flow in {Flow.CHARGE, Flow.DISCHARGE} else 1
        true = energy(self.system.plant, flow, end - QUARTER, end)
        return true * self.devices_reporting(end, total) // total

    def had_battery(self, end: int) -> bool:
        """Return whether batteries were installed in the interval up to `end`."""
        return self.system.storage_at(end - 1) is not None

    @property
    def storage(self) -> Storage | None:
        """Return the batteries that are installed now, if any."""
        return self.system.storage_at(self.now)

    @property
    def _batteries(self) -> int:
        storage = self.system.plant.storage
        return len(storage.units_at(self.now)) if storage else 1

    def power(self, at: int) -> Power:
        """Return the measured power at a moment, with noise of the meter at night."""
        true = power(self.system.plant, at)
        most = self.system.dark_noise_w
        if true.production or not self.is_metered or not most:
            return true
        seed = self.system.plant.seed
        noise = round((2 * fraction(seed, "dark", at) - 1) * most)
        return replace(true, production=noise)

    def sum(self, flow: Flow, start: int, end: int) -> int:
        """Return the Wh of all published intervals in (start, end]."""
        last = min(end, self.until)
        settled = min(last, (self.last_report_at - _SETTLED_AFTER) // QUARTER * QUARTER)
        plant = self.system.plant
        total = energy(plant, flow, start, settled) if settled > start else 0
        tail = range(max(start, settled) + QUARTER, last + 1, QUARTER)
        return total + sum(self.energy(flow, interval_end) for interval_end in tail)
