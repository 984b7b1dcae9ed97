"""Our systems in the preferences of the Energy dashboard: what is offered, and written.

The preferences are Home Assistant's own affair, and no public API. Whatever is not as
foreseen becomes an error that the user reads; nothing is lost.
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
        # What it says may name systems.
        _LOGGER.warning("The Energy dashboard is unforeseen: %s", type(err).__name__)
        raise translated(HomeAssistantError, "dashboard_failed") from None


async def async_manager(hass: HomeAssistant) -> Any:
    """Return what manages the preferences; raises HomeAssistantError."""
    with _as_foreseen():
        # Not there for certain, and loaded only where the user has it.
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
                # What is there already is not ours to judge.
                if source not in before.get(key, ()):
                    schema(dict(source))
        await manager.async_update({key: preferences[key] for key in _KEYS})


class Dashboard(NamedTuple):
    """The Energy dashboard as it is, beside what our systems offer."""

    hass: HomeAssistant
    preferences: Preferences | None
    offers: Offers

    def proposal(
        self, choices: Choices | None = None, offers: Sequence[Offer] | None = None
    ) -> Plan:
        """Return what adds all that is offered, or some; raises HomeAssistantError."""
        with _as_foreseen():
            offered = self.offers.all if offers is None else offers
            known = _NOTHING if self.preferences is None else self.preferences
            return propose(known, offered, choices)

    def findings(self, offers: Sequence[Offer] | None = None) -> dict[Finding, Plan]:
        """Return what is wrong with all that is offered, or some.

        Raises HomeAssistantError.

        Where nobody has set up the dashboard, nothing is.
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
        """Tell whether a statistic of ours will get no rows any more."""
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
