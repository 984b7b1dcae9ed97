"""A dashboard with a view for each system, made of Home Assistant's own cards.

The strategy in `frontend/strategy.js` requests it whenever a page is opened, so it
follows the entities of the systems and their names.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.components import frontend, websocket_api
from homeassistant.components.http.server import StaticPathConfig
from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import (
    async_response,
    websocket_command,
)
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_ID, CONF_NAME, EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.translation import async_get_translations
from homeassistant.loader import async_get_integration
import voluptuous as vol

from .const import CONF_SYSTEMS, DOMAIN
from .coordinator.recorded import statistic_id
from .data import account_identifier, device_identifier
from .energy_dashboard import Dashboard, async_dashboard, has_energy_dashboard
from .measurements.catalog import Flow
from .measurements.system import DeviceKind
from .runtime.account import account_owner
from .runtime.system_properties import systems_of_other_entries

type Card = dict[str, Any]

_URL: Final = f"/{DOMAIN}"
_FOLDER: Final = Path(__file__).with_name("frontend")

_BADGES: Final = (
    "sensor.system_status",
    "sensor.grid_status",
    "sensor.last_reported",
    "sensor.next_update",
)
# The colors of the Energy dashboard.
_POWERS: Final = {
    "sensor.current_power_production": "orange",
    "sensor.current_power_consumption": "deep-purple",
    "sensor.net_consumption": "blue",
    "sensor.battery_discharge": "teal",
    "sensor.generator_power": "grey",
}
# Headings and their icons, with the entities below them: domain and key.
SECTIONS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("power", "mdi:flash"): tuple(_POWERS),
    ("today", "mdi:calendar-today"): (
        "sensor.daily_production",
        "sensor.daily_consumption",
        "sensor.daily_grid_import",
        "sensor.daily_grid_export",
        "sensor.self_consumption_today",
        "sensor.self_sufficiency_today",
    ),
    ("battery", "mdi:home-battery"): (
        "sensor.battery_level",
        "sensor.battery_mode",
        "sensor.daily_battery_charged",
        "sensor.daily_battery_discharged",
        "select.storage_mode",
        "number.reserve_soc",
        "switch.storm_guard",
        "switch.energy_independence",
    ),
    ("panels", "mdi:solar-panel-large"): (
        "image.panels",
        "sensor.panels_reporting",
        "sensor.weakest_panel",
        "binary_sensor.panel_problem",
    ),
    ("costs", "mdi:cash"): (
        "sensor.cost_today",
        "sensor.compensation_today",
        "sensor.net_cost_today",
        "sensor.net_cost_month",
        "sensor.savings_today",
        "sensor.savings_month",
    ),
    ("month", "mdi:calendar-month"): (),
    ("calls", "mdi:cloud-sync"): (
        "sensor.calls_left",
        "sensor.calls_used",
        "sensor.live_streams_left",
        "sensor.history_import",
        "button.refresh",
        "button.start_live_stream",
    ),
}
# The flows of energy also show these.
_IN_FLOWS: Final = ("sensor.daily_grid_import", "sensor.daily_grid_export")
_DAYS: Final = (Flow.PRODUCTION, Flow.CONSUMPTION)
# Each of these has its own section.
_APPLIANCES: Final = (DeviceKind.CHARGER, DeviceKind.HEAT_PUMP, DeviceKind.LOAD)
_NAME: Final = {"name": {"type": "entity"}}
_WIDE: Final = {"grid_options": {"columns": "full"}}
# Entities with their own card; rows have room for the other names in any language.
_CARDS: Final[Mapping[str, Card]] = {
    **{
        key: {"type": "tile", "vertical": True, "color": color}
        for key, color in _POWERS.items()
    },
    "image.panels": {
        "type": "picture-entity",
        "show_name": False,
        "show_state": False,
        **_WIDE,
    },
    "sensor.battery_level": {
        "type": "tile",
        "features": [{"type": "bar-gauge"}],
        "features_position": "inline",
        **_WIDE,
    },
}


async def async_setup_overview(hass: HomeAssistant) -> None:
    """Let users add a dashboard of the type "Enphase Cloud"."""
    websocket_api.async_register_command(hass, _websocket_dashboard)
    if frontend.DOMAIN not in hass.config.components:
        return
    await hass.http.async_register_static_paths(
        [StaticPathConfig(_URL, str(_FOLDER), cache_headers=True)]
    )
    version = (await async_get_integration(hass, DOMAIN)).version
    frontend.add_extra_js_url(hass, f"{_URL}/strategy.js?v={version}")


@websocket_command(
    {
        vol.Required("type"): f"{DOMAIN}/dashboard",
        vol.Required("language"): str,
    }
)
@async_response
async def _websocket_dashboard(
    hass: HomeAssistant,
    connection: ActiveConnection,
    message: dict[str, Any],
) -> None:
    """Return the configuration of the dashboard for a user."""
    permissions = connection.user.permissions
    overview = _Overview(
        hass,
        texts=await async_get_translations(
            hass, message["language"], "selector", [DOMAIN]
        ),
        energy=await _async_energy(hass),
        may_read=lambda entity_id: permissions.check_entity(entity_id, POLICY_READ),
    )
    views = [
        overview.view(entry, system[CONF_ID], system[CONF_NAME])
        for entry in hass.config_entries.async_entries(DOMAIN, include_disabled=False)
        for elsewhere in (systems_of_other_entries(hass, entry),)
        for system in entry.data[CONF_SYSTEMS]
        if system[CONF_ID] not in elsewhere
    ]
    shown = [view for view in views if view["sections"]]
    connection.send_result(message["id"], {"views": shown})


async def _async_energy(hass: HomeAssistant) -> Dashboard | None:
    """Return the Energy dashboard, or None if it is unreadable."""
    if has_energy_dashboard(hass):
        with suppress(HomeAssistantError):
            return await async_dashboard(hass)
    return None


class _Overview(NamedTuple):
    """Builder of the views of a dashboard."""

    hass: HomeAssistant
    texts: Mapping[str, str]
    energy: Dashboard | None
    may_read: Callable[[str], bool]

    def view(self, entry: ConfigEntry[Any], system_id: int, name: str) -> Card:
        """Return the view of a system."""
        owner, system = account_owner(self.hass, entry), device_identifier(system_id)
        known = self._known(owner, account_identifier(owner))
        known |= self._known(entry, system)
        given = (
            device.name_by_user
            for device in self._devices(entry)
            if system in device.identifiers
        )
        statistics = statistic_id(system_id, "")
        return {
            "type": "sections",
            "title": next(filter(None, given), name),
            "max_columns": 3,
            "dense_section_placement": True,
            "badges": [
                {"type": "entity", **_row(known[key])}
                for key in _BADGES
                if key in known
            ],
            "sections": [
                *self._sections(known, statistics),
                *self._appliances(entry, f"{system_id}_"),
            ],
        }

    def _known(
        self, entry: ConfigEntry[Any], identifier: tuple[str, str]
    ) -> dict[str, str]:
        """Return the entities of a device by domain and key."""
        prefix = f"{identifier[1]}_"
        return {
            f"{entity.domain}.{entity.unique_id.removeprefix(prefix)}": entity.entity_id
            for device in self._devices(entry)
            if identifier in device.identifiers
            for entity in self._entities(device)
        }

    def _sections(self, known: Mapping[str, str], statistics: str) -> Iterator[Card]:
        """Yield the sections of a system that have something to show."""
        flows = [*self._flows(statistics)]
        charts = {
            "power": _powers([known[key] for key in _POWERS if key in known]),
            "today": flows,
            "month": self._days(statistics),
        }
        for (key, icon), members in SECTIONS.items():
            shown = {
                each: known[each]
                for each in members
                if each in known and not (flows and each in _IN_FLOWS)
            }
            if cards := [*_cards(shown), *charts.get(key, ())]:
                path = f"component.{DOMAIN}.selector.overview.options.{key}"
                yield _section(self.texts.get(path, key), icon, cards)

    def _appliances(self, entry: ConfigEntry[Any], prefix: str) -> Iterator[Card]:
        """Yield a section for each device that is not part of the plant."""
        prefixes = tuple(f"{prefix}{kind}_" for kind in _APPLIANCES)
        for device in self._devices(entry):
            if any(each.startswith(prefixes) for _, each in device.identifiers):
                rows = {
                    entity.unique_id: entity.entity_id
                    for entity in self._entities(device)
                    if entity.entity_category is not EntityCategory.DIAGNOSTIC
                }
                name = device.name_by_user or device.name or ""
                if rows:
                    yield _section(name, "mdi:power-plug", _cards(rows))

    def _entities(self, device: dr.DeviceEntry) -> Iterator[er.RegistryEntry]:
        """Yield the entities of a device that a section shows."""
        for entity in er.async_entries_for_device(er.async_get(self.hass), device.id):
            is_ours = entity.platform == DOMAIN and not entity.hidden
            if is_ours and self.may_read(entity.entity_id):
                yield entity

    def _devices(self, entry: ConfigEntry[Any]) -> list[dr.DeviceEntry]:
        registry = dr.async_get(self.hass)
        return dr.async_entries_for_config_entry(registry, entry.entry_id)

    def _flows(self, statistics: str) -> Iterator[Card]:
        """Yield the flows of energy, if the Energy dashboard has only this system."""
        preferences = (self.energy and self.energy.preferences) or {}
        ours = [
            value
            for source in preferences.get("energy_sources", ())
            for value in map(str, source.values())
            if value.startswith(f"{DOMAIN}:")
        ]
        # The card adds up all systems that the Energy dashboard has.
        if ours and all(value.startswith(statistics) for value in ours):
            yield {"type": "energy-distribution", **_WIDE}

    def _days(self, statistics: str) -> Iterator[Card]:
        """Yield the energy of the last days, if there are statistics."""
        names = self.energy.offers.names if self.energy else {}
        if found := [each for flow in _DAYS if (each := statistics + flow) in names]:
            yield {
                "type": "statistics-graph",
                "entities": found,
                "period": "day",
                "days_to_show": 30,
                "stat_types": ["change"],
                "chart_type": "bar",
                **_WIDE,
            }


def _powers(entity_ids: Iterable[str]) -> Iterator[Card]:
    if entities := [_row(each) for each in entity_ids]:
        yield {"type": "history-graph", "entities": entities, **_WIDE}


def _section(title: str, icon: str, cards: Iterable[Card]) -> Card:
    heading = {"type": "heading", "heading": title, "icon": icon}
    return {"type": "grid", "cards": [heading, *cards]}


def _cards(shown: Mapping[str, str]) -> Iterator[Card]:
    """Yield the cards of entities: single ones, and one card of rows."""
    rows = []
    for key, entity_id in shown.items():
        if (card := _CARDS.get(key)) is None:
            rows.append(_row(entity_id))
        else:
            yield {**_row(entity_id), **card}
    if rows:
        yield {"type": "entities", "entities": rows, **_WIDE}


def _row(entity_id: str) -> Card:
    return {"entity": entity_id, **_NAME}
