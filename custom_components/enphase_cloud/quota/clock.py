"""Estimates the time of the cloud from clocks that may be wrong."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

# Clocks that differ by more disagree.
_TOLERANCE = timedelta(seconds=90)
# `Date` has whole seconds, and a response needs time to arrive.
_ROUNDING = timedelta(seconds=2)
# Clocks drift: after this time, a slightly earlier `Date` is accepted, too.
_DRIFTS = timedelta(hours=6)
# How long the clock of this machine must run steadily to be accepted without a `Date`.
PATIENCE = timedelta(minutes=45)
# Responses without a `Date` after which the cloud is taken to send none.
_UNDATED = 10
# A `Date` outside of these bounds is invalid.
_EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)

type Monotonic = Callable[[], float]


class Reading(NamedTuple):
    """The clocks at a moment.

    `wall` is the clock of this machine, which may be set. `likely` is its time, with or
    without its last known error. `ticks` is how long this process has run, and always
    right. `time` is the best estimate of the cloud's time, and `at_least` a lower
    bound. If `time` is not certain, no response has confirmed it since `unsure_since`
    [ticks]. `was_confirmed` says whether one did earlier in this process. That the
    clock continues from the record of the last process proves nothing: it may have
    stopped without power. `unconfirmed` is the time in a single response that nothing
    has confirmed.
    """

    wall: datetime
    likely: datetime
    ticks: timedelta
    time: datetime
    at_least: datetime | None
    is_certain: bool
    was_confirmed: bool
    unsure_since: timedelta
    unconfirmed: datetime | None

    def claims(self, moment: datetime) -> bool:
        """Return whether the newest indication of the time is past a moment."""
        return (self.likely if self.unconfirmed is None else self.unconfirmed) >= moment

    def allows(self, moment: datetime) -> bool:
        """Return whether any clock indicates that it is past a moment."""
        return self.claims(moment) or self.wall >= moment

    def on_the_wall(self, ticks: timedelta) -> datetime:
        """Return what this machine's clock will show at some ticks."""
        return self.wall + (ticks - self.ticks)


class CloudClock:
    """Follows the cloud's time by the `Date` of its responses.

    Between responses a monotonic clock measures the time. The clock of the machine is
    accepted where a response agrees with it. A response that contradicts all clocks is
    accepted once a second one confirms it. Of two responses that contradict each other,
    at most one is assumed to be wrong.
    """

    def __init__(
        self,
        now: datetime,
        *,
        seen: datetime | None = None,
        error: timedelta | None = None,
        unconfirmed: datetime | None = None,
        monotonic: Monotonic | None = None,
    ) -> None:
        """Begin with this machine's clock, unsure.

        `seen` has passed already. This machine's clock was ahead by `error` at the last
        response with a `Date`; None without any. `unconfirmed` is the `Date` of a
        single response to an earlier process.
        Without a monotonic clock [s], time passes as `now` moves forwards.
        """
        self.error = error
        self._monotonic = monotonic
        self._begun = 0.0 if monotonic is None else monotonic()
        self._last = now, timedelta()
        # A time of the cloud, or a lower bound of it, with the ticks at that moment.
        self._known = None if seen is None else (seen, timedelta())
        self._undated = 0
        self._was_confirmed = False
        self._is_certain = False
        self._unsure_since = timedelta()
        self._unconfirmed: tuple[datetime, timedelta] | None = None
        self._earlier_unconfirmed = unconfirmed

    @property
    def ticks(self) -> timedelta:
        """Return when the clocks were observed last."""
        return self._last[1]

    @property
    def last(self) -> datetime:
        """Return the estimated cloud's time when the clocks were observed last."""
        return self._time(*self._last)

    @property
    def seen(self) -> datetime | None:
        """Return the latest time of the cloud that has certainly passed."""
        return None if self._known is None else self._at(self._known, self._last[1])

    @property
    def unconfirmed(self) -> datetime | None:
        """Return the time by a single response that nothing has confirmed."""
        return (
            self._earlier_unconfirmed
            if self._unconfirmed is None
            else self._at(self._unconfirmed, self.ticks)
        )

    def read(self, now: datetime) -> Reading:
        """Return the clocks; `now` is the time of this machine."""
        wall, before = self._last
        ticks = self._ticks(now)
        was_set = abs((now - wall) - (ticks - before)) > _TOLERANCE
        return Reading(
            wall=now,
            likely=self._likely(now, ticks),
            ticks=ticks,
            time=self._time(now, ticks),
            at_least=None if self._known is None else self._at(self._known, ticks),
            is_certain=self._is_certain and not was_set,
            was_confirmed=self._was_confirmed,
            unsure_since=ticks if was_set else self._unsure_since,
            unconfirmed=None
            if self._unconfirmed is None
            else self._at(self._unconfirmed, ticks),
        )

    def observe(self, now: datetime) -> Reading:
        """Return the clocks, and remember whether this machine's was set."""
        reading = self.read(now)
        self._last = now, reading.ticks
        self._is_certain = reading.is_certain
        self._unsure_since = reading.unsure_since
        return reading

    def learn_date(self, date: datetime | None, now: datetime) -> bool:
        """Learn the `Date` of a response; return whether the time is certain now.

        Where no response ever had one, this machine's clock is accepted after it ran
        steadily for `PATIENCE` and some responses.
        """
        reading = self.observe(now)
        if date is None:
            self._undated += 1
            is_steady = reading.ticks - reading.unsure_since >= PATIENCE
            is_alone = self.error is None and self._undated >= _UNDATED
            if is_alone and is_steady and not reading.is_certain:
                self._accept(now, reading.ticks)
        elif _EARLIEST <= date < _LATEST:
            if self._is_confirmed(date, reading):
                self._accept(date, reading.ticks)
            elif not reading.is_certain or abs(date - reading.time) > _TOLERANCE:
                self._note_unconfirmed(date, reading)
            error = now - date
            self.error = error if abs(error) > _TOLERANCE else timedelta()
        return self._is_certain

    def _is_confirmed(self, date: datetime, reading: Reading) -> bool:
        """Return whether another clock or response has the same time."""
        if (
            reading.unconfirmed is not None
            and abs(date - reading.unconfirmed) <= _TOLERANCE
        ):
            return True
        is_shown = any(
            abs(date - clock) <= _TOLERANCE for clock in self._clocks(reading.wall)
        )
        if reading.at_least is None or self._known is None:
            return is_shown
        ahead = date - reading.at_least
        if reading.is_certain:
            # The response with the shortest way is the most precise.
            is_old = reading.ticks - self._known[1] > _DRIFTS
            return (-_TOLERANCE if is_old else timedelta()) <= ahead <= _TOLERANCE
        return abs(ahead) <= _TOLERANCE or (is_shown and ahead > timedelta())

    def _accept(self, time: datetime, ticks: timedelta) -> None:
        self._known = time, ticks
        self._was_confirmed = self._is_certain = True
        self._unconfirmed = self._earlier_unconfirmed = None

    def _note_unconfirmed(self, date: datetime, reading: Reading) -> None:
        """Keep the unconfirmed time of a response, and a lower bound from two of them.

        At most one of the two is wrong, so the earlier of the two times has passed.
        """
        if not reading.is_certain and self.unconfirmed is not None:
            passed = min(self.unconfirmed, date)
            if reading.at_least is None or passed > reading.at_least:
                self._known = passed, reading.ticks
        self._unconfirmed = date, reading.ticks

    def _clocks(self, now: datetime) -> tuple[datetime, datetime]:
        """Return this machine's time if it is right, and if it is wrong as before."""
        return now, now - (self.error or timedelta())

    def _likely(self, now: datetime, ticks: timedelta) -> datetime:
        """Return the earliest time of its clock that is not before the lower bound."""
        if self._known is None:
            return now
        known = self._at(self._known, ticks)
        return min(
            (clock for clock in self._clocks(now) if clock >= known), default=known
        )

    def _ticks(self, now: datetime) -> timedelta:
        wall, before = self._last
        if self._monotonic is None:
            return before + max(now - wall, timedelta())
        return max(before, timedelta(seconds=self._monotonic() - self._begun))

    def _time(self, now: datetime, ticks: timedelta) -> datetime:
        """Return the best estimate of the cloud's time."""
        if self._known is None or not self._was_confirmed:
            return self._likely(now, ticks)
        known = self._at(self._known, ticks)
        return now if abs(now - known) <= _ROUNDING else known

    @staticmethod
    def _at(moment: tuple[datetime, timedelta], ticks: timedelta) -> datetime:
        time, then = moment
        return time + (ticks - then)
