"""Records of requests, live streams and frames."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .errors import RefusalError
from .moments import epoch
from .world import LIVE_PRICE_USD, Application


@dataclass(slots=True, kw_only=True, eq=False)
class Request:
    """A received request; `counted` if it counts in the quota.

    `application` is the client id of the key or credentials, None if unknown. `status`
    is None until the response is sent. `body` and `took_effect` are those of a write,
    None for other requests.
    """

    at: datetime
    method: str
    operation: str
    system_id: int | None = None
    application: str | None = None
    status: int | None = None
    counted: bool = False
    body: object = None
    took_effect: bool | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Stream:
    """A live stream that was opened and billed."""

    opened_at: datetime
    system_id: int
    application: str
    duration: int
    frames: int = 0
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A frame of live data as it was sent."""

    at: datetime
    system_id: int
    payload: dict[str, Any]


class Quota:
    """Counts an application's requests in calendar minutes and months, in UTC."""

    def __init__(self) -> None:
        """Begin with no requests."""
        self._counts: Counter[tuple[str, int, int]] = Counter()

    def exceeded(self, application: Application, now: datetime) -> RefusalError | None:
        """Return the refusal if the quota of a period is used up, else None."""
        for period, limit in _limits(application).items():
            start, end = PERIODS[period](now)
            if self._counts[application.client_id, start, end] >= limit:
                return too_many(application, period, now)
        return None

    def count(self, application: Application, now: datetime) -> None:
        """Count a request."""
        for period in PERIODS.values():
            self._counts[application.client_id, *period(now)] += 1

    def take_back(self, application: Application, now: datetime) -> None:
        """Remove a request that was counted at `now`."""
        for period in PERIODS.values():
            self._counts[application.client_id, *period(now)] -= 1

    def used(self, application: Application, period: str, now: datetime) -> int:
        """Return the number of counted requests in the period around `now`."""
        return self._counts[application.client_id, *PERIODS[period](now)]


def too_many(application: Application, period: str, now: datetime) -> RefusalError:
    """Return the refusal for a used-up quota."""
    start, end = PERIODS[period](now)
    return RefusalError(
        429,
        f"Usage limit exceeded for plan {application.plan.name}",
        extra={
            "period": period,
            "period_start": start,
            "period_end": end,
            "limit": _limits(application)[period],
        },
    )


def _limits(application: Application) -> dict[str, int]:
    plan = application.plan
    return {"minute": plan.per_minute, "month": plan.per_month}


def _minute(now: datetime) -> tuple[int, int]:
    start = epoch(now) // 60 * 60
    return start, start + 60


def _month(now: datetime) -> tuple[int, int]:
    start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    years, month = divmod(start.month, 12)
    end = start.replace(year=start.year + years, month=month + 1)
    return epoch(start), epoch(end)


PERIODS: dict[str, Callable[[datetime], tuple[int, int]]] = {
    "minute": _minute,
    "month": _month,
}


def count_by_operation(requests: Iterable[Request]) -> dict[str, int]:
    """Return the number of requests by operation."""
    return dict(Counter(request.operation for request in requests))


def cost(streams: Iterable[Stream]) -> float:
    """Return what the streams cost, in US dollars."""
    return round(LIVE_PRICE_USD * len(list(streams)), 2)
