"""The lifetime total of production: implausible values have to be confirmed.

Home Assistant takes a decrease of such a total for a reset to zero.
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple, Self

from .catalog import Measurement
from .samples import Sample, Samples

TOTAL: Final = Measurement.ENERGY_PRODUCED_LIFETIME

# Panels exceed their rated power when they are cold, or near a bright cloud.
_TOLERANCE: Final = 1.3
_UNKNOWN_SIZE_W: Final = 100_000
# Late intervals and corrections add to what was produced in the meantime.
_SLACK: Final = timedelta(days=1)
# A total below this share of the one before is a reset, as in Home Assistant.
_RESET_BELOW: Final = 0.9
# How long a total has to be reported before it is accepted. Faults end within hours; a
# wrong low total would count all energy twice once it ends.
_RISE_CONFIRMED_AFTER: Final = timedelta(hours=1)
_FALL_CONFIRMED_AFTER: Final = timedelta(hours=12)


class Claim(NamedTuple):
    """A total [Wh] that has to be confirmed, and when it was reported first."""

    total: float
    reported_at: datetime


class LifetimeGuard(NamedTuple):
    """Holds back a total that the rated power of the plant cannot explain."""

    claim: Claim | None = None

    def check(
        self, known: Samples, arrived: Samples, *, now: datetime
    ) -> tuple[Self, Samples, Samples]:
        """Return the next guard, and the known and arrived samples to merge.

        A total that is not confirmed is removed from the arrived samples; for a reset,
        the total is removed from the known ones.
        """
        held, new = _total(known), _total(arrived)
        if held is None or new is None:
            return self, known, arrived
        power = _most_power({**known, **arrived})
        elapsed = now - known[TOTAL].observed_at
        is_dip = held * _RESET_BELOW <= new < held
        if is_dip or _explains(power, elapsed, held, new):
            return type(self)(), known, arrived
        guard = self._with_claim(new, power, now)
        wait = _FALL_CONFIRMED_AFTER if new < held else _RISE_CONFIRMED_AFTER
        claim = guard.claim
        is_confirmed = claim is not None and new and now - claim.reported_at >= wait
        if is_confirmed or (new < held and _is_recommissioned(known, arrived)):
            return type(self)(), _without(known, TOTAL), arrived
        if new < held:
            return guard, known, _without(arrived, TOTAL)
        # If the total is too great, the energy of today is wrong, too.
        today = Measurement.ENERGY_PRODUCED_TODAY
        return guard, known, _without(arrived, TOTAL, today)

    def _with_claim(self, total: float, power: float, now: datetime) -> Self:
        """Return the guard after a total that has to be confirmed.

        A zero is not a claim: it may be a fault, and a new system soon reports more.
        """
        if not total or (
            self.claim is not None
            and self.claim.reported_at <= now
            and _explains(power, now - self.claim.reported_at, self.claim.total, total)
        ):
            return self
        return type(self)(Claim(total, now))


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
    """Return whether a power [W] can raise a total to a later one."""
    hours = (max(elapsed, timedelta()) + _SLACK) / timedelta(hours=1)
    return total <= later <= total + power * hours


def _is_recommissioned(known: Samples, arrived: Samples) -> bool:
    before = known.get(Measurement.OPERATIONAL_SINCE)
    after = arrived.get(Measurement.OPERATIONAL_SINCE)
    if before is None or after is None:
        return False
    old, new = _number(before), _number(after)
    day = timedelta(days=1).total_seconds()
    return old is not None and new is not None and new > old + day


def _without(samples: Samples, *removed: Measurement) -> Samples:
    kept: dict[Measurement, Sample] = dict(samples)
    for measurement in removed:
        kept.pop(measurement, None)
    return kept
