"""A year of the real schedule and ledger, on a virtual clock."""

from bisect import bisect_left
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
import json

import numpy as np

from custom_components.enphase_cloud.measurements.catalog import Source
from custom_components.enphase_cloud.quota.ledger import (
    BudgetExhaustedError,
    Ledger,
    Purpose,
)
from custom_components.enphase_cloud.quota.reserve import Call
from custom_components.enphase_cloud.scheduling.poll_schedule import Schedule
from custom_components.enphase_cloud.scheduling.weights import PolledDocument
from tests.robustness.household import Refused

from .cloud import Cloud
from .scenarios import Scenario
from .world import DAY, END, YEAR, Kind, System, clock, seconds

# Home Assistant checks the schedule at least this often.
_LONGEST_SLEEP = timedelta(hours=1)
_SHORTEST_SLEEP = timedelta(seconds=1)
_RESTART = timedelta(seconds=60)
_SAVE_DELAY = timedelta(seconds=10)
_TOKEN_LIFE = timedelta(days=1)
# The first is requested once a week, the others once a day.
_PERIODIC = (Source.DEVICES, Source.PANELS, Source.ALARMS)


@dataclass(slots=True)
class Record:
    """The results of a year."""

    # The polls of a document: their times, and the end of the data known then.
    polls: dict[PolledDocument, list[tuple[float, float]]]
    responses: int = 0
    wasted: int = 0
    calls: list[float] = field(default_factory=list)
    # By month: the share of the plan that was left for background work.
    unused: list[float] = field(default_factory=list)


class Household:
    """Polls some systems for a year with one API key."""

    def __init__(
        self, scenario: Scenario, systems: tuple[System, ...], cloud: Cloud
    ) -> None:
        """Set everything up at the start of the year."""
        self._plan = scenario.plan
        self._cloud = cloud
        self._systems = {system.name: system for system in systems}
        self._record = Record(
            {
                PolledDocument(system.name, Source(kind)): []
                for system in systems
                for kind in system.published
            }
        )
        self._now = YEAR
        self._token_until = self._now
        self._disk = "{}"
        self._unsaved_since: datetime | None = None
        days = np.arange(0, END, DAY)
        nights = days + DAY / 8
        moments = days + np.random.default_rng(len(days)).uniform(0, DAY, days.size)
        self._restarts = [*nights] if scenario.restarts_nightly else []
        self._kills = [*moments] if scenario.killed_daily else []
        self._periodic = [
            (night, source)
            for day, night in enumerate(nights if scenario.has_groups else ())
            for _ in systems
            for source in (_PERIODIC if day % 7 == 0 else _PERIODIC[1:])
        ]
        self._start()

    def live_through(self) -> Record:
        """Simulate the year, and return its record."""
        polled_documents = list(self._record.polls)
        wake = dict.fromkeys(polled_documents, self._now)
        while (moment := min(wake.values())) < clock(END):
            polled = min(polled_documents, key=lambda each: wake[each])
            self._advance(max(moment, self._now))
            if self._restarts and seconds(self._now) >= self._restarts[0]:
                self._restarts.pop(0)
                self._ledger.release(self._now)
                self._save()
                self._start()
            self._run_periodic()
            pause = self._due(polled) - self._now
            if pause <= timedelta():
                pause = self._poll(polled) or self._due(polled) - self._now
            wake[polled] = self._now + min(max(pause, _SHORTEST_SLEEP), _LONGEST_SLEEP)
        self._close_month()
        return self._record

    def _advance(self, moment: datetime) -> None:
        """Advance the clock: due saves are done, and months end."""
        if self._unsaved_since and moment - self._unsaved_since >= _SAVE_DELAY:
            self._save()
        if moment >= self._ledger.period_end(self._now):
            self._close_month()
        self._now = moment

    def _close_month(self) -> None:
        last = self._ledger.period_end(self._now) - timedelta(seconds=1)
        left = self._ledger.spendable(last)
        self._record.unused.append(left / self._plan.calls_per_month)

    def _due(self, polled: PolledDocument) -> datetime:
        return self._schedule.next_poll(
            polled,
            now=self._now,
            calls_left=self._calls_for_polls(),
            period_end=self._ledger.period_end(self._now),
        )

    def _calls_for_polls(self) -> int:
        """Return what is left without the periodic requests still due this month."""
        end = seconds(self._ledger.period_end(self._now))
        periodic = bisect_left(self._periodic, (end,))
        return max(0, self._ledger.spendable(self._now) - periodic)

    def _run_periodic(self) -> None:
        while self._periodic and self._periodic[0][0] <= seconds(self._now):
            _, source = self._periodic.pop(0)
            with suppress(BudgetExhaustedError):
                call, refused = self._call(source, Purpose.BACKGROUND)
                self._ended(call, served=refused is None)
                self._unsaved_since = self._unsaved_since or self._now

    def _poll(self, polled: PolledDocument) -> timedelta | None:
        """Request a document; return the wait if a request was not possible."""
        try:
            if self._token_until <= self._now:
                token, _ = self._call("token", Purpose.SIGN_IN)
                self._ended(token)
                self._token_until = self._now + _TOKEN_LIFE
            call, refused = self._call(polled.document, Purpose.BACKGROUND)
        except BudgetExhaustedError as err:
            return err.until - self._now
        self._record.calls.append(seconds(self._now))
        if self._kills and seconds(self._now) >= self._kills[0]:
            # The worst case of a crash: the call has left, its response never arrives.
            self._kills.pop(0)
            self._now += _RESTART
            self._start()
        elif refused is not None:
            self._ended(call)
            self._ledger.refused_by_cloud(
                self._now,
                period=refused.period,
                period_start=refused.start,
                period_end=refused.end,
                limit=refused.limit,
            )
            self._schedule.failed(polled, now=self._now)
            self._save()
        elif self._cloud.fails():
            self._ended(call)
            self._schedule.failed(polled, now=self._now)
        else:
            self._ended(call, served=True)
            self._learn(polled)
        self._unsaved_since = self._unsaved_since or self._now
        return None

    def _call(self, operation: str, purpose: Purpose) -> tuple[Call, Refused | None]:
        call = self._ledger.charge(operation, self._now, purpose=purpose)
        if call.must_be_saved:
            self._save()
        return call, self._cloud.call(seconds(self._now))

    def _ended(self, call: Call, *, served: bool = False) -> None:
        self._ledger.ended(call, self._now, served=served, date=self._now)

    def _learn(self, polled: PolledDocument) -> None:
        system = self._systems[polled.system]
        published = system.published[Kind(polled.document)]
        data_at = float(published.data_at[published.newest(seconds(self._now))])
        polls = self._record.polls[polled]
        self._record.responses += 1
        producing = produced_until = None
        if polled.document is not Source.BATTERY:
            producing = system.produces(data_at)
        if polled.document is Source.SUMMARY:
            produced_until = clock(system.produced_until(data_at))
        if self._schedule.observe(
            polled,
            now=self._now,
            data_at=clock(data_at),
            changed=not polls or polls[-1][1] != data_at,
            producing=producing,
            produced_until=produced_until,
        ):
            self._record.wasted += 1
            self._ledger.record_wasted(self._now)
        polls.append((seconds(self._now), data_at))

    def _save(self) -> None:
        ledger, schedule = self._ledger.as_dict(), self._schedule.as_dict()
        self._disk = json.dumps({"ledger": ledger, "schedule": schedule})
        self._ledger.saved(ledger)
        self._unsaved_since = None

    def _start(self) -> None:
        data = json.loads(self._disk)
        self._ledger = Ledger.restore(data.get("ledger"), self._plan, now=self._now)
        self._schedule = Schedule.restore(data["schedule"]) if data else Schedule()
        for polled in self._record.polls:
            self._schedule.add(polled)
        self._unsaved_since = None
