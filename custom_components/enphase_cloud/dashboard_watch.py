"""Watch the Energy dashboard: add new systems once, and report problems.

It makes no API call: it reads the preferences and statistics of Home Assistant.
"""

from contextlib import suppress
from copy import replace
from datetime import timedelta
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.util.hass_dict import HassKey

from .const import CONF_ENERGY_DASHBOARD, DOMAIN
from .coordinator.timer import Timer
from .dashboard.doctor import Finding
from .dashboard.sources import ENERGY_FIELDS, Offer
from .data import EnphaseCloudConfigEntry, EnphaseSystem
from .energy_dashboard import (
    Dashboard,
    async_dashboard,
    async_manager,
    async_write,
    has_energy_dashboard,
)

# Debounce: many imports may follow each other.
_PAUSE: Final = timedelta(minutes=1)


@callback
def async_watch_dashboard(hass: HomeAssistant, entry: EnphaseCloudConfigEntry) -> None:
    """Watch the Energy dashboard while an entry is loaded."""
    if has_energy_dashboard(hass):
        if _WATCH not in hass.data:
            hass.data[_WATCH] = _Watch(hass)
        hass.data[_WATCH].begin(entry)


class _Watch:
    """The watcher that all entries share, as there is one dashboard."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Initialize without entries."""
        self._hass = hass
        self._entries: list[EnphaseCloudConfigEntry] = []
        self._timer = Timer(hass, self._begin_look)
        self._is_due = False
        self._listens = False

    @callback
    def begin(self, entry: EnphaseCloudConfigEntry) -> None:
        """Check soon, and whenever statistics of the entry may have changed."""
        self._entries.append(entry)

        @callback
        def end() -> None:
            self._entries.remove(entry)
            self._timer.stop()
            self._is_due = False
            self._look_soon()
            if not self._entries:
                self._show({})

        entry.async_on_unload(end)
        for system in entry.runtime_data.systems:
            if system.energy is not None:
                entry.async_on_unload(system.energy.async_add_listener(self._look_soon))
        self._look_soon()

    @callback
    def _look_soon(self) -> None:
        if self._entries and not self._is_due:
            self._is_due = True
            self._timer.start(_PAUSE)

    @callback
    def _begin_look(self) -> None:
        self._is_due = False
        if self._entries:
            self._entries[0].async_create_background_task(
                self._hass, self._async_look(), "Enphase Cloud Energy dashboard"
            )

    async def _async_look(self) -> None:
        # Unexpected preferences are logged; the user needs to do nothing.
        with suppress(HomeAssistantError):
            await self._async_listen()
            await self._async_add_new(await async_dashboard(self._hass))
            dashboard = await async_dashboard(self._hass)
            findings = dashboard.findings()
            lines = {
                finding: await dashboard.async_lines(plan.changes)
                for finding, plan in findings.items()
            }
            self._show(lines)

    async def _async_listen(self) -> None:
        """Check whenever the preferences change; there is no way to unsubscribe."""
        if self._listens:
            return

        async def changed() -> None:
            self._look_soon()

        (await async_manager(self._hass)).async_listen_updates(changed)
        self._listens = True

    async def _async_add_new(self, dashboard: Dashboard) -> None:
        """Add each source and its costs once, if the user chose so at set-up."""
        for system in self._wanted():
            offered = dashboard.offers.all
            known = system.store.on_dashboard
            whole = [
                offer
                for offer in dashboard.offers.by_system.get(system.info.system_id, ())
                if offer in offered
                and offer.energy_ids.keys() == {*ENERGY_FIELDS[offer.kind]}
                and not known >= _keys(offer)
            ]
            new = [offer for offer in whole if offer.key not in known]
            # Do not add a source again that the user removed.
            plan = dashboard.proposal(offers=new) if new else None
            if plan is None and whole:
                plan = dashboard.findings(whole).get(Finding.COST)
            if plan is not None and plan.is_change:
                await async_write(self._hass, plan.preferences)
                dashboard = replace(dashboard, preferences=plan.preferences)
            for offer in new or whole:
                system.store.set_on_dashboard(_keys(offer))

    def _wanted(self) -> list[EnphaseSystem]:
        return [
            system
            for entry in self._entries
            if entry.options.get(CONF_ENERGY_DASHBOARD)
            for system in entry.runtime_data.systems
        ]

    @callback
    def _show(self, lines: dict[Finding, str]) -> None:
        for finding in Finding:
            if finding not in lines:
                ir.async_delete_issue(self._hass, DOMAIN, finding)
                continue
            ir.async_create_issue(
                self._hass,
                DOMAIN,
                finding,
                is_fixable=True,
                severity=ir.IssueSeverity.WARNING,
                translation_key=finding,
                translation_placeholders={"changes": lines[finding]},
            )


_WATCH: Final[HassKey[_Watch]] = HassKey(f"{DOMAIN}_dashboard")


def _keys(offer: Offer) -> set[str]:
    """Return the stored keys of an offer."""
    return {offer.key, *(f"{offer.key} {money}" for money in offer.money)}
