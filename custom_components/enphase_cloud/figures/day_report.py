"""The report of a day of a system."""

from collections.abc import Mapping
from datetime import date, tzinfo
from typing import Any, Final, NamedTuple, Self

from ..energy.parsing import system_day
from ..energy.periods import kwh
from ..energy.readings import HourlyEnergy, Span
from ..energy.recorded import EXPORT_COMPENSATION, IMPORT_COST, RecordedHours, totals
from ..measurements.catalog import Flow
from .peaks import Quarter
from .shares import (
    SELF_CONSUMPTION,
    SELF_SUFFICIENCY,
    ShareOf,
    is_complete,
    share_of_days,
)

_KILO: Final = 1_000


class DayReport(NamedTuple):
    """The known values of a day of a system.

    `totals`: energy [Wh] and money by the keys of statistics. Shares [%] are computed
    like the figures and None if incomplete. `peak`: the quarter hour of the greatest
    import. `is_import_paid`: whether there is a tariff of import.
    """

    day: date
    totals: Mapping[str, float]
    self_sufficiency: float | None
    self_consumption: float | None
    peak: Quarter | None = None
    is_import_paid: bool = False

    @classmethod
    def of_hours(
        cls,
        day: date,
        hours: RecordedHours,
        time_zone: tzinfo,
        *,
        peak: Quarter | None = None,
        is_import_paid: bool = False,
    ) -> Self:
        """Return the report of the recorded hours of a day."""
        span = system_day(day, time_zone)
        return cls(
            day=day,
            totals=totals(hours),
            self_sufficiency=_share(SELF_SUFFICIENCY, hours, span),
            self_consumption=_share(SELF_CONSUMPTION, hours, span),
            peak=peak,
            is_import_paid=is_import_paid,
        )

    @property
    def net_cost(self) -> float | None:
        """Return the cost of import less the compensation of export.

        None if the cost of import is unknown; without a tariff of import there is none.
        """
        cost = self.totals.get(IMPORT_COST)
        paid_back = self.totals.get(EXPORT_COMPENSATION)
        if cost is None and (paid_back is None or self.is_import_paid):
            return None
        return (cost or 0.0) - (paid_back or 0.0)

    def kwh(self, flow: Flow) -> float | None:
        """Return the energy of a flow [kWh]."""
        energy = self.totals.get(flow)
        return None if energy is None else kwh(energy)

    def as_dict(self, currency: str, time_zone: tzinfo) -> dict[str, Any]:
        """Return the known values in a shape that JSON can hold."""
        energy = known({flow.value: self.kwh(flow) for flow in Flow})
        money = known(
            {
                "import": _rounded(self.totals.get(IMPORT_COST), 2),
                "compensation": _rounded(self.totals.get(EXPORT_COMPENSATION), 2),
                "net": _rounded(self.net_cost, 2),
            }
        )
        return {"date": self.day.isoformat()} | known(
            {
                "energy_kwh": energy or None,
                "self_sufficiency": _rounded(self.self_sufficiency, 1),
                "self_consumption": _rounded(self.self_consumption, 1),
                "cost": {"currency": currency, **money} if money else None,
                "import_peak": None
                if self.peak is None
                else {
                    "power_kw": round(self.peak.power / _KILO, 3),
                    "at": self.peak.start.astimezone(time_zone).isoformat(),
                },
            }
        )

    def summary(self) -> dict[str, Any]:
        """Return the values of the report's event."""
        return {"date": self.day.isoformat()} | known(
            {
                "production_kwh": self.kwh(Flow.PRODUCTION),
                "self_sufficiency": _rounded(self.self_sufficiency, 1),
                "net_cost": _rounded(self.net_cost, 2),
            }
        )


def known(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that are not None."""
    return {key: value for key, value in values.items() if value is not None}


def _share(share: ShareOf, hours: RecordedHours, day: Span) -> float | None:
    energy = {
        flow: {
            each.start: HourlyEnergy(round(each.amount), day if each.of_day else None)
            for each in hours.get(flow, ())
        }
        for flow in Flow
    }
    found = share_of_days(share, energy, [day])
    return found.value if found is not None and is_complete(found, day) else None


def _rounded(value: float | None, digits: int) -> float | None:
    # Adding 0.0 turns -0.0 into 0.0.
    return None if value is None else round(value, digits) + 0.0
