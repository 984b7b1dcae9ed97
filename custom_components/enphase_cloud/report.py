"""The daily report, and the event entity that announces it."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final, override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import CoreState, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.start import async_at_started
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .coordinator.recorded_energy import async_recorded_energy, async_recorded_rise
from .coordinator.timer import Timer
from .data import EnphaseCloudConfigEntry, EnphaseSystem
from .energy.parsing import system_day
from .energy.periods import kwh
from .entity import EnphaseCloudEntity, account_unique_id
from .figures.day_report import DayReport, known
from .measurements.catalog import Measurement, Source
from .measurements.system import Device, DeviceKind
from .money.tariff import Direction
from .quota.ledger import ASSUMED
from .runtime.account import account_owner

READY: Final = "ready"
_DAY: Final = timedelta(days=1)
_LATEST: Final = time(9)
# The first import may take long.
_AT_START: Final = timedelta(minutes=15)
# Costs are calculated after the energy is imported.
_SETTLING: Final = timedelta(minutes=1)
# Retry after this time if nothing is known.
_REST: Final = timedelta(hours=1)
# A report of panels from before noon belongs to the day before.
_HALF_A_DAY: Final = timedelta(hours=12)
_ENERGY: Final = Measurement.PANEL_ENERGY_YESTERDAY


def yesterday(system: EnphaseSystem) -> date:
    """Return the last complete day in the time zone of a system."""
    today = dt_util.utcnow().astimezone(system.info.time_zone).date()
    return today - _DAY


async def async_day_report(
    hass: HomeAssistant, system: EnphaseSystem, day: date
) -> DayReport:
    """Return the report of a day from recorded values; makes no API call."""
    span = system_day(day, system.info.time_zone)
    hours = await async_recorded_energy(
        hass, system.info.system_id, span.start, span.end
    )
    zone = system.info.time_zone
    return DayReport.of_hours(
        day,
        hours,
        zone,
        peak=system.store.peaks.by_day(zone).get(day),
        is_import_paid=system.costs is not None
        and Direction.IMPORT in system.costs.tariffs,
    )


async def async_report(
    hass: HomeAssistant,
    entry: EnphaseCloudConfigEntry,
    system: EnphaseSystem,
    day: date,
) -> dict[str, Any]:
    """Return all known values of a day of a system, as JSON."""
    report = await async_day_report(hass, system, day)
    return {
        **report.as_dict(hass.config.currency, system.info.time_zone),
        **_panels(hass, system, day),
        "calls": await _async_calls(hass, entry, system, day),
    }


def _panels(hass: HomeAssistant, system: EnphaseSystem, day: date) -> Mapping[str, Any]:
    """Return the best and the weakest panel of a day; None if there is only one."""
    reported = sorted(
        (
            (float(sample.value), device.identifier, device)
            for device in system.board.reported_by(Source.PANELS)
            if device.kind is DeviceKind.INVERTER
            and (sample := system.board.samples(Source.PANELS, device).get(_ENERGY))
            and (sample.observed_at - _HALF_A_DAY)
            .astimezone(system.info.time_zone)
            .date()
            == day
        ),
        reverse=True,
    )
    if len(reported) <= 1:
        return {}
    return {
        key: {
            "name": _name(hass, system, device),
            "energy_kwh": kwh(energy),
        }
        for key, (energy, _, device) in (
            ("best_panel", reported[0]),
            ("weakest_panel", reported[-1]),
        )
    }


def _name(hass: HomeAssistant, system: EnphaseSystem, device: Device) -> str | None:
    registered = dr.async_get(hass).async_get(system.device_ids.get(device, ""))
    return None if registered is None else registered.name_by_user or registered.name


async def _async_calls(
    hass: HomeAssistant,
    entry: EnphaseCloudConfigEntry,
    system: EnphaseSystem,
    day: date,
) -> dict[str, Any]:
    """Return the API calls of the key this month, and of the day if recorded."""
    ledger, now = entry.runtime_data.budget.ledger, dt_util.utcnow()
    used = ledger.used(now) - ledger.by_operation(now).get(ASSUMED, 0)
    calls = {"this_month": used, "left": ledger.left(now)}
    key = account_unique_id(account_owner(hass, entry), "calls_used")
    counter = er.async_get(hass).async_get_entity_id("sensor", DOMAIN, key)
    if counter is not None:
        span = system_day(day, system.info.time_zone)
        rise = await async_recorded_rise(hass, counter, span.start, span.end)
        calls |= known({"on_day": None if rise is None else round(rise)})
    return calls


class ReportEvent(EnphaseCloudEntity, EventEntity):
    """Fire once a day when the report of yesterday is available.

    That is after the energy of yesterday is imported, but at nine o'clock at the
    latest.
    """

    _unrecorded_attributes = frozenset(
        {"net_cost", "production_kwh", "self_sufficiency"}
    )

    def __init__(
        self,
        entry: EnphaseCloudConfigEntry,
        system: EnphaseSystem,
        description: EventEntityDescription,
    ) -> None:
        """Initialize the event of a system."""
        super().__init__(entry, system, description)
        self._entry = entry
        self._is_firing = False
        self._rests_until: datetime | None = None
        self._patient_until = dt_util.utcnow() + _AT_START
        self._timer = Timer(entry.runtime_data.shared.hass, self._async_fire_soon)

    @override
    async def async_added_to_hass(self) -> None:
        """Listen to imports and to polls, which serve as the clock."""
        await super().async_added_to_hass()
        for coordinator in self._system.documents:
            self.async_on_remove(coordinator.async_add_listener(self._async_look))
        if (energy := self._system.energy) is not None:
            self.async_on_remove(energy.async_on_imported(self._async_imported))
        self.async_on_remove(self._timer.stop)
        self.async_on_remove(async_at_started(self.hass, self._async_look))

    @callback
    def _async_imported(self, *_imported: object) -> None:
        self._rests_until = None
        self._async_look()

    @callback
    def _async_look(self, _hass: HomeAssistant | None = None) -> None:
        """Schedule the event if the report of yesterday has not fired yet."""
        is_running = self.hass.state is CoreState.running
        if is_running and not self._is_firing and self._is_due():
            self._is_firing = True
            self._timer.start(_SETTLING)

    def _is_due(self) -> bool:
        day, zone = yesterday(self._system), self._system.info.time_zone
        energy, fired_day = self._system.energy, self._system.store.last_report_day
        # Ignore a report that fired while the clock was ahead.
        if energy is None or (fired_day is not None and day <= fired_day <= day + _DAY):
            return False
        now = dt_util.utcnow()
        latest = max(datetime.combine(day + _DAY, _LATEST, zone), self._patient_until)
        if self._rests_until is not None and now < self._rests_until <= now + _REST:
            return False
        return now >= latest or energy.is_complete(system_day(day, zone))

    @callback
    def _async_fire_soon(self) -> None:
        self._entry.async_create_background_task(
            self.hass, self._async_fire(), "Enphase Cloud report"
        )

    async def _async_fire(self) -> None:
        """Fire for yesterday, or retry later if nothing is known of it."""
        self._rests_until = dt_util.utcnow() + _REST
        try:
            report = await async_day_report(
                self.hass, self._system, yesterday(self._system)
            )
            if report.totals:
                self._system.store.set_last_report_day(report.day)
                self._trigger_event(READY, report.summary())
                self.async_write_ha_state()
        finally:
            self._is_firing = False
