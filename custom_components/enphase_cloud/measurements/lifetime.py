"""The lifetime total of production: what no plant can explain waits to be confirmed.

Home Assistant takes a fall of a total that increases for a new beginning (a reset).
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple, Self

from .catalog import Measurement
from .samples import Sample, Samples

TOTAL: Final = Measurement.ENERGY_PRODUCED_LIFETIME

# Panels yield more than their plates say when cold, or beside a bright cloud.
_TOLERANCE: Final = 1.3
_UNKNOWN_SIZE_W: Final = 100_000
# Late intervals and corrections come on top of what was produced meanwhile.
_SLACK: Final = timedelta(days=1)
# A total that is less by this share begins anew; Home Assistant takes it so, too.
_ANEW: Final = 0.9
# How long a total has to be told before it is believed. Faults pass within hours; one
# that pulls a total down would count all energy twice when it passes.
_RISE_CONFIRMED_AFTER: Final = timedelta(hours=1)
_FALL_CONFIRMED_AFTER: Final = timedelta(hours=12)


class Claim(NamedTuple):
    """A total [Wh] that waits to be confirmed, and when an answer told it first."""

    total: float
    reported_at: datetime


class LifetimeGuard(NamedTuple):
    """Holds back a total that the size of the plant cannot explain."""

    claim: Claim | None = None

    def check(
        self, known: Samples, arrived: Samples, *, now: datetime
    ) -> tuple[Self, Samples, Samples]:
        """Return the guard from now on, and what to go on with as known and arrived.

        A total that has to wait does not arrive; one that begins anew meets none.
        """
        held, told = _total(known), _total(arrived)
        if held is None or told is None:
            return self, known, arrived
        power = _most_power({**known, **arrived})
        elapsed = now - known[TOTAL].observed_at
        is_dip = held * _ANEW <= told < held
        if is_dip or _explains(power, elapsed, held, told):
            return type(self)(), known, arrived
        guard = self._hear(told, power, now)
        wait = _FALL_CONFIRMED_AFTER if told < held else _RISE_CONFIRMED_AFTER
        claim = guard.claim
        is_confirmed = claim is not None and told and now - claim.reported_at >= wait
        if is_confirmed or (told < held and _is_commissioned_anew(known, arrived)):
            return type(self)(), _without(known, TOTAL), arrived
        if told < held:
            return guard, known, _without(arrived, TOTAL)
        # What is too great as a whole proves today wrong, too.
        today = Measurement.ENERGY_PRODUCED_TODAY
        return guard, known, _without(arrived, TOTAL, today)

    def _hear(self, told: float, power: float, now: datetime) -> Self:
        """Return the guard after a total that has to wait.

        A zero claims nothing: that is how a fault looks, and a new system says more
        before long.
        """
        if not told or (
            self.claim is not None
            and self.claim.reported_at <= now
            and _explains(power, now - self.claim.reported_at, self.claim.total, told)
        ):
            return self
        return type(self)(Claim(told, now))


def _total(samples: Samples) -> float | None:
    sample = samples.get(TOTAL)
    return None if sample is None else _number(sample)


def _number(sample: Sample) -> float | None:
    return float(sample.value) if isinstance(sample.value, int | float) else None


def _most_power(samples: Samples) -> float:
    """Return the greatest power [W] that a system can produce."""
    rated = samples.get(Measurement.RATED_POWER)
    size = None if rated is None else _number(rated)
    return (size or _UNKNOWN_SIZE_W) * _TOLERANCE


def _explains(power: float, elapsed: timedelta, total: float, later: float) -> bool:
    """Tell whether a power [W] can raise a total to a later one."""
    hours = (max(elapsed, timedelta()) + _SLACK) / timedelta(hours=1)
    return total <= later <= total + power * hours


def _is_commissioned_anew(known: Samples, arrived: Samples) -> bool:
    before = known.get(Measurement.OPERATIONAL_SINCE)
    after = arrived.get(Measurement.OPERATIONAL_SINCE)
    if before is None or after is None:
        return False
    since, anew = _number(before), _number(after)
    day = timedelta(days=1).total_seconds()
    return since is not None and anew is not None and anew > since + day


def _without(samples: Samples, *left_out: Measurement) -> Samples:
    kept: dict[Measurement, Sample] = dict(samples)
    for measurement in left_out:
        kept.pop(measurement, None)
    return kept
