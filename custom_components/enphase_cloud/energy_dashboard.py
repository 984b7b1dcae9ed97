"""Read and write the preferences of the Energy dashboard.

The preferences are internal to Home Assistant, not a public API. Anything unexpected
raises an error with a text for the user, and changes nothing.
"""

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
import logging
from typing import Any, Final, NamedTuple

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_FRIENDLY_NAME
from homeassistant.core import HomeAssistant, callback, valid_entity_id
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.recorder import DATA_INSTANCE
from homeassistant.helpers.translation import async_get_translations

from .const import DOMAIN
from .dashboard.doctor import Finding, diagnose
from .dashboard.sources import PREFIX, Offer, Preferences
from .dashboard.wizard import Change, Choices, Plan, propose
from .dashboard_offers import Offers, async_offers
from .data import EnphaseCloudConfigEntry
from .errors import escaped, translated
from .runtime.options import EnergyOptions
from .runtime.system_properties import chosen_systems

_LOGGER = logging.getLogger(__name__)

_ENERGY: Final = "energy"
_KEYS: Final = ("energy_sources", "device_consumption")
_NOTHING: Final[Preferences] = {key: [] for key in _KEYS}


@callback
def has_energy_dashboard(hass: HomeAssistant) -> bool:
    """Return whether there is an Energy dashboard, and a recorder for it."""
    return _ENERGY in hass.config.components and DATA_INSTANCE in hass.data


@contextmanager
def _as_foreseen() -> Generator[None]:
    try:
        yield
    except HomeAssistantError:
        raise
    except Exception as err:  # noqa: BLE001  # of no public API everything may change
        # The message may contain names of systems.
        _LOGGER.warning(
            "Unexpected preferences of the Energy dashboard: %s", type(err).__name__
        )
        raise translated(HomeAssistantError, "dashboard_failed") from None


async def async_manager(hass: HomeAssistant) -> Any:
    """Return the energy manager; raises HomeAssistantError."""
    with _as_foreseen():
        # The component may be missing; import it only if it is loaded.
        from homeassistant.components.energy import data  # noqa: PLC0415

        return await data.async_get_manager(hass)


async def async_write(hass: HomeAssistant, preferences: Preferences) -> None:
    """Write sources and devices into the preferences; raises HomeAssistantError."""
    with _as_foreseen():
        from homeassistant.components.energy import data  # noqa: PLC0415

        manager = await async_manager(hass)
        before = manager.data or {}
        for key, schema in (
            ("energy_sources", lambda it: data.ENERGY_SOURCE_SCHEMA([it])),
            ("device_consumption", data.DEVICE_CONSUMPTION_SCHEMA),
        ):
            for source in preferences[key]:
                # Do not validate what the user already has.
                if source not in before.get(key, ()):
                    schema(dict(source))
        await manager.async_update({key: preferences[key] for key in _KEYS})


class Dashboard(NamedTuple):
    """The current preferences and the offers of our systems."""

    hass: HomeAssistant
    preferences: Preferences | None
    offers: Offers

    def proposal(
        self, choices: Choices | None = None, offers: Sequence[Offer] | None = None
    ) -> Plan:
        """Return the plan that adds all offers, or some; raises HomeAssistantError."""
        with _as_foreseen():
            offered = self.offers.all if offers is None else offers
            known = _NOTHING if self.preferences is None else self.preferences
            return propose(known, offered, choices)

    def findings(self, offers: Sequence[Offer] | None = None) -> dict[Finding, Plan]:
        """Return problems with all offers, or some.

        Raises HomeAssistantError.

        There are none if the dashboard is not set up.
        """
        with _as_foreseen():
            if self.preferences is None:
                return {}
            offered = self.offers.all if offers is None else offers
            return diagnose(self.preferences, offered, self._is_gone)

    async def async_lines(self, changes: Iterable[Change]) -> str:
        """Return a list in Markdown of changes, in the language of Home Assistant."""
        texts = await async_get_translations(
            self.hass, self.hass.config.language, "selector", [DOMAIN]
        )

        def text(selector: str, key: str) -> str:
            path = f"component.{DOMAIN}.selector.{selector}.options.{key}"
            return texts.get(path, key)

        return "\n".join(
            f"- **{text('dashboard_change', each.verb)}** · "
            f"{text('dashboard_source', each.kind)}: "
            f"{', '.join(map(self._name, each.values))}"
            for each in changes
        )

    def _name(self, value: str) -> str:
        state = self.hass.states.get(value) if valid_entity_id(value) else None
        shown = state and state.attributes.get(ATTR_FRIENDLY_NAME)
        return escaped(self.offers.names.get(value) or shown or value)

    def _is_gone(self, statistic: str) -> bool:
        """Return whether one of our statistics no longer gets rows."""
        system = statistic.removeprefix(PREFIX).partition("_")[0]
        entries: list[EnphaseCloudConfigEntry]
        entries = self.hass.config_entries.async_entries(DOMAIN)
        holders = [it for it in entries if system in map(str, chosen_systems(it))]
        if not holders or statistic in self.offers.names:
            return not holders
        return not any(
            entry.state is not ConfigEntryState.LOADED
            or EnergyOptions.from_options(entry.options).updates_per_day
            for entry in holders
        )


async def async_dashboard(hass: HomeAssistant) -> Dashboard:
    """Return the Energy dashboard; raises HomeAssistantError."""
    manager = await async_manager(hass)
    with _as_foreseen():
        return Dashboard(hass, manager.data, await async_offers(hass))
