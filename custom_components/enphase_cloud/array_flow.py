"""Subentry flow: the user groups panels of a system into an array."""

from typing import Any, Final

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntryState,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_NAME, DEGREE
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
import voluptuous as vol

from .const import CONF_AZIMUTH, CONF_PANELS, CONF_SYSTEM, CONF_TILT
from .data import EnphaseCloudConfigEntry, EnphaseSystem, device_identifier
from .measurements.arrays import array_of
from .measurements.system import Device, DeviceKind
from .runtime.arrays import arrays_of


def _degrees(most: int) -> NumberSelector:
    return NumberSelector(
        NumberSelectorConfig(
            min=0,
            max=most,
            step=1,
            unit_of_measurement=DEGREE,
            mode=NumberSelectorMode.BOX,
        )
    )


_TILT: Final = _degrees(90)
_AZIMUTH: Final = _degrees(360)


class PanelArrayFlow(ConfigSubentryFlow):
    """Define an array, or change it."""

    _system_id: int

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Choose the system, if several have known panels."""
        if self._get_entry().state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="entry_not_loaded")
        systems = {
            str(each.info.system_id): each for each in self._systems if _panels(each)
        }
        if not systems:
            return self.async_abort(reason="no_panels")
        if user_input is None and len(systems) > 1:
            form = vol.Schema({vol.Required(CONF_SYSTEM): _choice(systems)})
            return self.async_show_form(step_id="user", data_schema=form)
        chosen = next(iter(systems)) if user_input is None else user_input[CONF_SYSTEM]
        self._system_id = systems[chosen].info.system_id
        return await self.async_step_array()

    async def async_step_array(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Create the array from the user input."""
        if user_input is None:
            return self._show_form("array", {})
        return self._take("array", user_input)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Change name, direction and panels of an array."""
        if self._get_entry().state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="entry_not_loaded")
        before = self._get_reconfigure_subentry()
        self._system_id = before.data[CONF_SYSTEM]
        if user_input is None:
            known = {CONF_NAME: before.title, **before.data}
            return self._show_form("reconfigure", known)
        return self._take("reconfigure", user_input)

    def _take(self, step_id: str, user_input: dict[str, Any]) -> SubentryFlowResult:
        name = user_input[CONF_NAME].strip()
        errors, placeholders = self._errors(name, user_input[CONF_PANELS])
        if errors:
            return self._show_form(step_id, user_input, errors, placeholders)
        data = {key: value for key, value in user_input.items() if key != CONF_NAME}
        data[CONF_SYSTEM] = self._system_id
        if self.source == SOURCE_RECONFIGURE:
            # The change of subentries reloads the entry.
            return self.async_update_and_abort(
                self._get_entry(),
                self._get_reconfigure_subentry(),
                title=name,
                data=data,
            )
        return self.async_create_entry(title=name, data=data)

    def _errors(
        self, name: str, panels: list[str]
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Return errors by field, and their placeholders."""
        if not name:
            return {CONF_NAME: "name_missing"}, {}
        if not panels:
            return {CONF_PANELS: "choose_a_panel"}, {}
        others = [
            array
            for array in arrays_of(self._get_entry(), self._system_id)
            if array.key != self._own_key
        ]
        for panel in panels:
            device = Device(DeviceKind.INVERTER, panel)
            if (array := array_of(others, device)) is not None:
                taken = {"panel": panel, "array": array.name}
                return {CONF_PANELS: "panel_in_other_array"}, taken
        return {}, {}

    @property
    def _own_key(self) -> str | None:
        if self.source != SOURCE_RECONFIGURE:
            return None
        return self._reconfigure_subentry_id

    @property
    def _systems(self) -> list[EnphaseSystem]:
        entry: EnphaseCloudConfigEntry = self._get_entry()
        return entry.runtime_data.systems

    def _show_form(
        self,
        step_id: str,
        known: dict[str, Any],
        errors: dict[str, str] | None = None,
        placeholders: dict[str, str] | None = None,
    ) -> SubentryFlowResult:
        form = vol.Schema(
            {
                vol.Required(CONF_NAME): TextSelector(),
                vol.Optional(CONF_TILT): _TILT,
                vol.Optional(CONF_AZIMUTH): _AZIMUTH,
                # Without a default, Home Assistant would select the first panel.
                vol.Required(CONF_PANELS, default=[]): self._choice_of_panels(
                    known.get(CONF_PANELS, [])
                ),
            }
        )
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(form, known),
            errors=errors,
            description_placeholders=placeholders,
        )

    def _choice_of_panels(self, members: list[str]) -> SelectSelector:
        """Return the panels to choose from, with members that no longer exist."""
        known = {
            panel
            for system in self._systems
            if system.info.system_id == self._system_id
            for panel in _panels(system)
        }
        options = [
            SelectOptionDict(value=panel, label=self._label(panel))
            for panel in sorted(known | set(members))
        ]
        return SelectSelector(
            SelectSelectorConfig(
                options=options, multiple=True, mode=SelectSelectorMode.DROPDOWN
            )
        )

    def _label(self, panel: str) -> str:
        """Return the name of a panel, and its serial number."""
        device = dr.async_get(self.hass).async_get_device_by_identifier(
            device_identifier(self._system_id, Device(DeviceKind.INVERTER, panel)),
            self._get_entry().entry_id,
        )
        name = device and (device.name_by_user or device.name)
        if not name:
            return panel
        return name if panel in name else f"{name} ({panel})"


def _panels(system: EnphaseSystem) -> set[str]:
    return {
        device.identifier
        for device in system.board.devices() | system.board.inventory.keys()
        if device.kind is DeviceKind.INVERTER
    }


def _choice(systems: dict[str, EnphaseSystem]) -> SelectSelector:
    return SelectSelector(
        SelectSelectorConfig(
            options=[
                SelectOptionDict(value=key, label=system.info.name)
                for key, system in systems.items()
            ]
        )
    )
