"""The simulated cloud without HTTP."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from custom_components.enphase_cloud.api import Endpoint, day_query, interval_query
from custom_components.enphase_cloud.energy.flows import (
    ENERGY_SOURCES,
    readings_of_dailies,
    readings_of_week,
)
from custom_components.enphase_cloud.energy.import_plan import ImportRequest
from custom_components.enphase_cloud.energy.import_progress import Days
from custom_components.enphase_cloud.energy.importer import Importer
from custom_components.enphase_cloud.energy.parsing import power_limit
from custom_components.enphase_cloud.energy.readings import Readings
from custom_components.enphase_cloud.measurements.board import Board
from custom_components.enphase_cloud.measurements.catalog import (
    Flow,
    Measurement,
    Source,
)
from custom_components.enphase_cloud.measurements.samples import Sample
from simulator import Cloud, Published, System
from simulator.distortion import distort
from simulator.faults import DataFault
from simulator.moments import epoch

from ..cloud import document
from .faults import NO_RESPONSE, RandomFaults

_OWNER: Final = "owner@example.com"
_SIZE_W: Final = 6_800
_BATTERY_W: Final = 7_680
_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_LIMITS: Final = {
    flow: power_limit(
        flow, size=_SIZE_W, charge_limit=_BATTERY_W, discharge_limit=_BATTERY_W
    )
    for flow in Flow
}


@dataclass(frozen=True, slots=True)
class Site:
    """The place of a system, and the device that measures its production."""

    name: str
    time_zone: str
    latitude: float
    measured_by: Literal["meter", "microinverters"] = "meter"

    @property
    def zone(self) -> tzinfo:
        """Return the time zone of the system's days."""
        return ZoneInfo(self.time_zone)


def build(site: Site, commissioned: date, now: datetime) -> System:
    """Build the system of a site."""
    cloud = Cloud(lambda: now)
    has_meter = site.measured_by == "meter"
    return cloud.add_system(
        cloud.add_account(email=_OWNER, password=_OWNER),
        name=site.name,
        time_zone=site.time_zone,
        latitude=site.latitude,
        size_w=_SIZE_W,
        battery=2,
        meters=("production", "consumption") if has_meter else ("consumption",),
        commissioned=commissioned,
    )


@dataclass(slots=True)
class CloudData:
    """The cloud's documents about a system, read as the integration reads them.

    A repeated request for the same document costs no time.
    """

    site: Site
    system: System
    calls: int = 0
    _last: tuple[object, Any] = field(default=((), {}), init=False)

    def of_a_night(
        self, importer: Importer, now: datetime, faults: RandomFaults, *, history: int
    ) -> Iterator[tuple[ImportRequest, dict[Flow, Readings]]]:
        """Yield the imports of a night, with up to `history` weeks of history."""
        while True:
            next_history = now if history > 0 else _NEVER
            step = importer.next_request(now, next_history=next_history)
            if step is None or step.due > now:
                return
            self.calls += 1
            if isinstance(step.window, Days):
                # Faults never affect days.
                yield step, self.days(step.source, now)
                continue
            history -= not step.is_update
            fault = faults.of_next_call(is_old_week=not step.is_update)
            if fault == NO_RESPONSE:
                importer.failed(step, now, is_useless=False)
                # Pauses this import only; the others of the night continue.
                importer.pause(None, now)
            else:
                yield step, self.week(step.source, step.window.start, now, fault)

    def week(
        self,
        source: Source,
        start: datetime,
        now: datetime,
        fault: DataFault | None = None,
    ) -> dict[Flow, Readings]:
        """Read seven days of intervals from a start on."""
        row = ENERGY_SOURCES[source]
        query = interval_query(start, week=True)
        data = self._read(row.intervals(self._known(now)), now, query, fault)
        return readings_of_week(row.read_intervals(data), _LIMITS, fetched_at=now)

    def days(self, source: Source, now: datetime) -> dict[Flow, Readings]:
        """Read all days up to yesterday."""
        row = ENERGY_SOURCES[source]
        data = self._read(row.days, now, day_query(None, None))
        return readings_of_dailies(
            row.read_days(data), _LIMITS, fetched_at=now, time_zone=self.site.zone
        )

    def document(
        self,
        path: str,
        now: datetime,
        fault: DataFault | None = None,
        **query: object,
    ) -> Any:
        """Return a document by its path below the system."""
        request = (path, now, fault, query)
        if self._last[0] != request:
            found = document(
                f"/{self.system.system_id}/{path}",
                {name: str(value) for name, value in query.items()},
                [Published(self.system, epoch(now))],
            )
            if fault is not None:
                distort(found, fault)
            self._last = (request, found)
        return self._last[1]

    def _read(
        self,
        endpoint: Endpoint[Any],
        now: datetime,
        query: Mapping[str, object],
        fault: DataFault | None = None,
    ) -> Any:
        path = endpoint.path_of(system_id=self.system.system_id).partition("/")[2]
        return endpoint.read(self.document(path, now, fault, **query))

    def _known(self, now: datetime) -> Board:
        board = Board()
        measured_by = Sample(self.site.measured_by, now, Source.SUMMARY)
        board.put(Source.SUMMARY, {Measurement.PRODUCTION_SOURCE: measured_by})
        return board
