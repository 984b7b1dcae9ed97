"""Sensors of costs, compensation and savings, where there is a tariff."""

from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.util import dt as dt_util

from .data import EnphaseSystem
from .entity import EnphaseSystemEntity
from .money.costs import BILLION
from .money.figures import Amount, Period
from .money.tariff import Direction

_ENABLED: Final = {
    (Amount.COST, Period.TODAY),
    (Amount.NET, Period.TODAY),
    (Amount.NET, Period.MONTH),
}


@dataclass(frozen=True, kw_only=True)
class CostSensorDescription(SensorEntityDescription):
    """Describe a sensor that shows an amount of money of a period."""

    amount: Amount
    period: Period

    def exists(self, system: EnphaseSystem) -> bool:
        """Return whether a system has the tariff for it."""
        is_got = self.amount is Amount.COMPENSATION
        direction = Direction.EXPORT if is_got else Direction.IMPORT
        return system.costs is not None and direction in system.costs.tariffs


COSTS: Final = tuple(
    CostSensorDescription(
        key=f"{amount}_{period}",
        translation_key=f"{amount}_{period}",
        amount=amount,
        period=period,
        device_class=SensorDeviceClass.MONETARY,
        # A period that is over no longer changes.
        state_class=SensorStateClass.TOTAL if period.is_current else None,
        suggested_display_precision=2,
        entity_registry_enabled_default=(amount, period) in _ENABLED,
    )
    for amount in Amount
    for period in Period
    if (amount, period) != (Amount.SAVINGS, Period.YESTERDAY)
)


class CostSensor(EnphaseSystemEntity, SensorEntity):
    """Show an amount of money from the statistics."""

    entity_description: CostSensorDescription

    @property
    @override
    def native_unit_of_measurement(self) -> str:
        """Return the currency of Home Assistant."""
        return self.hass.config.currency

    @override
    def read(self) -> object:
        described, costs = self.entity_description, self._system.costs
        zone = self._system.info.time_zone
        today = dt_util.utcnow().astimezone(zone).date()
        known = {} if costs is None else costs.figures(today)
        amount = known.get((described.amount, described.period))
        self._attr_native_value = None if amount is None else amount / BILLION
        if described.period.is_current:
            begin = described.period.span(today, zone).start
            self._attr_last_reset = begin.astimezone(zone)
        return amount, self.last_reset, self.native_unit_of_measurement
