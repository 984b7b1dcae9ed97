"""The simulated cloud, without the way over HTTP."""

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
from .mishaps import NO_ANSWER, Luck

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
    """Where a system stands, and what measures its production."""

    name: str
    time_zone: str
    latitude: float
    measured_by: Literal["meter", "microinverters"] = "meter"

    @property
    def zone(self) -> tzinfo:
        """Return the time zone of the system's days."""
        return ZoneInfo(self.time_zone)


def build(site: Site, commissioned: date, now: datetime) -> System:
    """Build the system that stands at a site."""
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
class Answers:
    """The cloud's answers about a system, and what the integration makes of them.

    Asking for a document costs no time where the last one was the same.
    """

    site: Site
    system: System
    calls: int = 0
    _last: tuple[object, Any] = field(default=((), {}), init=False)

    def of_a_night(
        self, importer: Importer, now: datetime, luck: Luck, *, history: int
    ) -> Iterator[tuple[ImportRequest, dict[Flow, Readings]]]:
        """Yield what there is to import in a night, with so many weeks of history."""
        while True:
            next_history = now if history > 0 else _NEVER
            step = importer.next_request(now, next_history=next_history)
            if step is None or step.due > now:
                return
            self.calls += 1
            if isinstance(step.window, Days):
                # Nothing distorts days.
                yield step, self.days(step.source, now)
                continue
            history -= not step.is_update
            mishap = luck.mishap(is_old_week=not step.is_update)
            if mishap == NO_ANSWER:
                importer.failed(step, now, is_useless=False)
                # The rest of the night goes on.
                importer.pause(None, now)
            else:
                yield step, self.week(step.source, step.window.start, now, mishap)

    def week(
        self,
        asked: Source,
        start: datetime,
        now: datetime,
        fault: DataFault | None = None,
    ) -> dict[Flow, Readings]:
        """Read the seven days of intervals from a moment on."""
        row = ENERGY_SOURCES[asked]
        query = interval_query(start, week=True)
        answer = self._answer(row.intervals(self._known(now)), now, query, fault)
        return readings_of_week(row.read_intervals(answer), _LIMITS, fetched_at=now)

    def days(self, asked: Source, now: datetime) -> dict[Flow, Readings]:
        """Read all days up to yesterday."""
        row = ENERGY_SOURCES[asked]
        answer = self._answer(row.days, now, day_query(None, None))
        return readings_of_dailies(
            row.read_days(answer), _LIMITS, fetched_at=now, time_zone=self.site.zone
        )

    def document(
        self,
        path: str,
        now: datetime,
        fault: DataFault | None = None,
        **query: object,
    ) -> Any:
        """Return the document below the path of a system."""
        asked = (path, now, fault, query)
        if self._last[0] != asked:
            answer = document(
                f"/{self.system.system_id}/{path}",
                {name: str(value) for name, value in query.items()},
                [Published(self.system, epoch(now))],
            )
            if fault is not None:
                distort(answer, fault)
            self._last = (asked, answer)
        return self._last[1]

    def _answer(
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
