"""What a day of a system came to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from ..measurements.catalog import Flow
from .periods import kwh
from .recorded import EXPORT_COMPENSATION, IMPORT_COST

_PERCENT: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReport:
    """A day of a system: its energies [Wh] and money, as far as they are known."""

    day: date
    totals: Mapping[str, float]

    @property
    def self_sufficiency(self) -> float | None:
        """Return how much of the consumption did not come from the grid [%]."""
        return self._share_beyond(Flow.GRID_IMPORT, of=Flow.CONSUMPTION)

    @property
    def self_consumption(self) -> float | None:
        """Return how much of the production did not go into the grid [%]."""
        return self._share_beyond(Flow.GRID_EXPORT, of=Flow.PRODUCTION)

    @property
    def net_cost(self) -> float | None:
        """Return what is to be paid, less what is paid back."""
        cost = self.totals.get(IMPORT_COST)
        paid_back = self.totals.get(EXPORT_COMPENSATION)
        if cost is None and paid_back is None:
            return None
        return (cost or 0.0) - (paid_back or 0.0)

    def kwh(self, flow: Flow) -> float | None:
        """Return the energy of a flow [kWh]."""
        energy = self.totals.get(flow)
        return None if energy is None else kwh(energy)

    def as_dict(self, currency: str) -> dict[str, Any]:
        """Return what is known, in a shape that JSON can hold."""
        energies = known({flow.value: self.kwh(flow) for flow in Flow})
        money = known(
            {
                "import": self.totals.get(IMPORT_COST),
                "compensation": self.totals.get(EXPORT_COMPENSATION),
                "net": self.net_cost,
            }
        )
        return {"date": self.day.isoformat()} | known(
            {
                "energy_kwh": energies or None,
                "self_sufficiency": _rounded(self.self_sufficiency, 1),
                "self_consumption": _rounded(self.self_consumption, 1),
                "cost": {"currency": currency}
                | {key: _rounded(amount, 2) for key, amount in money.items()}
                if money
                else None,
            }
        )

    def summary(self) -> dict[str, Any]:
        """Return the few figures that an event tells."""
        return {"date": self.day.isoformat()} | known(
            {
                "production_kwh": self.kwh(Flow.PRODUCTION),
                "self_sufficiency": _rounded(self.self_sufficiency, 1),
                "net_cost": _rounded(self.net_cost, 2),
            }
        )

    def _share_beyond(self, part: Flow, *, of: Flow) -> float | None:
        taken, whole = self.totals.get(part), self.totals.get(of)
        if taken is None or not whole:
            return None
        return min(max(0.0, _PERCENT * (1 - taken / whole)), 100.0)


def known(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is not None."""
    return {key: value for key, value in values.items() if value is not None}


def _rounded(value: float | None, digits: int) -> float | None:
    # A rounded nothing has no sign.
    return None if value is None else round(value, digits) + 0.0
