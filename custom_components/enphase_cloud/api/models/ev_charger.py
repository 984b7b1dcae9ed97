"""Sessions, schedules and events of Enphase EV chargers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from operator import attrgetter
import re
from typing import Any, Final, NamedTuple, Self

from .convert import (
    to_count,
    to_datetime,
    to_energy,
    to_flag,
    to_identifier,
    to_number,
    to_object,
    to_objects,
    to_prose,
    to_text,
    to_whole_percentage,
)

_TIME: Final = re.compile(r"(\d{1,2}):(\d{2})(?::\d{2})?", re.ASCII)
_DAYS: Final = range(1, 8)
_HOURS: Final = range(24)
_MINUTES: Final = range(60)
_MIDNIGHT: Final = (24, 0)
_LONGEST: Final = timedelta(days=366)
_MOST_COST: Final = 1_000_000


class ChargingSession(NamedTuple):
    """A car at a charger from `start_at` to `end_at`; it charges for `charged_for`.

    The unit of `energy_added` is unclear: Wh in the specification, but its example is
    only plausible in kWh. `cost` is in the currency of the owner in the Enphase app.
    """

    start_at: datetime
    end_at: datetime
    charged_for: timedelta | None
    energy_added: float | None
    cost: float | None


class ChargingSessions(NamedTuple):
    """The completed sessions of a charger, oldest first."""

    system_id: int
    sessions: tuple[ChargingSession, ...]

    @classmethod
    def from_api(cls, data: Mapping[str, Any]) -> Self:
        """Read the sessions; skip those without start and end, or of over 366 days.

        Raises MalformedResponseError if the document has no system id.
        """
        data = to_object(data)
        sessions = filter(None, map(_session, to_objects(data.get("sessions"))))
        return cls(
            system_id=to_identifier(data.get("system_id")),
            sessions=tuple(sorted(sessions, key=attrgetter("end_at"))),
        )


class ChargingTimes(NamedTuple):
    """A period in which a charger may charge, in the time zone of the system.

    It starts on each of `days`, from 1, Monday, to 7, Sunday. If `end` is not after
    `start`, it ends on the next day. `level` is the charging power in % of the maximum.
    """

    days: tuple[int, ...]
    start: time
    end: time
    level: int | None


class ChargerSchedule(NamedTuple):
    """A schedule of a charger; several may be active."""

    kind: str | None
    is_active: bool
    times: tuple[ChargingTimes, ...]


class ChargerSchedules(NamedTuple):
    """The schedules of a charger."""

    system_id: int
    schedules: tuple[ChargerSchedule, ...]

    @classmethod
    def from_api(cls, data: Mapping[str, Any]) -> Self:
        """Read the schedules; skip unreadable periods.

        Raises MalformedResponseError if the document has no system id.
        """
        data = to_object(data)
        return cls(
            system_id=to_identifier(data.get("system_id")),
            schedules=tuple(
                ChargerSchedule(
                    kind=to_text(item.get("type")),
                    is_active=to_flag(item.get("is_active")) is True,
                    times=tuple(_times(item.get("schedules"))),
                )
                for item in to_objects(data.get("charger_schedules"))
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerEvent:
    """An event of a charger.

    repr() omits `details`, which may contain its serial number.
    """

    status: str | None
    triggered_at: datetime
    cleared_at: datetime | None
    details: str | None = field(repr=False)


class ChargerEvents(NamedTuple):
    """The events of the chargers of a system, in the order of the document."""

    system_id: int
    events: tuple[ChargerEvent, ...]

    @classmethod
    def from_api(cls, data: Mapping[str, Any]) -> Self:
        """Read the events; skip those without a time.

        Raises MalformedResponseError if the document has no system id.
        """
        data = to_object(data)
        return cls(
            system_id=to_identifier(data.get("system_id")),
            events=tuple(
                ChargerEvent(
                    status=to_text(item.get("status")),
                    triggered_at=at,
                    cleared_at=to_datetime(item.get("cleared_date")),
                    details=to_prose(item.get("details")),
                )
                for item in to_objects(data.get("events"))
                if (at := to_datetime(item.get("triggered_date"))) is not None
            ),
        )


def _session(item: Mapping[str, Any]) -> ChargingSession | None:
    start_at = to_datetime(item.get("start_time"))
    end_at = to_datetime(item.get("end_time"))
    if start_at is None or end_at is None:
        return None
    if not timedelta() <= end_at - start_at <= _LONGEST:
        return None
    seconds = to_count(item.get("charge_time"))
    is_possible = seconds is not None and seconds <= _LONGEST.total_seconds()
    cost = to_number(item.get("cost"))
    return ChargingSession(
        start_at=start_at,
        end_at=end_at,
        charged_for=timedelta(seconds=seconds or 0) if is_possible else None,
        energy_added=to_energy(item.get("energy_added")),
        cost=cost if cost is not None and 0 <= cost <= _MOST_COST else None,
    )


def _times(value: object) -> Iterator[ChargingTimes]:
    for item in to_objects(value):
        start, end = _time(item.get("start_time")), _time(item.get("end_time"))
        days = item.get("days")
        numbers = map(to_count, days[: len(_DAYS)]) if isinstance(days, list) else ()
        valid = {each for each in numbers if each is not None and each in _DAYS}
        if start is not None and end is not None and valid:
            yield ChargingTimes(
                days=tuple(sorted(valid)),
                start=start,
                end=end,
                level=to_whole_percentage(item.get("charging_level")),
            )


def _time(value: object) -> time | None:
    """Return a time of day such as "1:00"; "24:00" is midnight."""
    match = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    hour, minute = int(match[1]), int(match[2])
    if (hour, minute) == _MIDNIGHT:
        return time()
    return time(hour, minute) if hour in _HOURS and minute in _MINUTES else None
