"""Options flow: plan, what is to be freshest, and live data."""

from typing import Any, Final

from homeassistant.config_entries import ConfigFlowResult, OptionsFlowWithReload

from .const import (
    CONF_BURST_PAUSE,
    CONF_LIVE_BURSTS,
    CONF_PLAN,
    DEFAULT_BURST_PAUSE,
    PLAN_CUSTOM,
)
from .flow_forms import BUDGET_FORM, CUSTOM_PLAN_FORM, LIVE_FORM
from .options import plan_from_options

_MINUTES_A_MONTH: Final = 30 * 24 * 60


class EnphaseCloudOptionsFlow(OptionsFlowWithReload):
    """Change the options of an account, each explained with what it costs."""

    def __init__(self) -> None:
        """Begin with the options as they are."""
        self._options: dict[str, Any] = {}

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the plan and the profile."""
        if user_input is None:
            self._options = dict(self.config_entry.options)
            return self.async_show_form(
                step_id="init",
                data_schema=self.add_suggested_values_to_schema(
                    BUDGET_FORM, self._options
                ),
                last_step=False,
            )
        self._options |= user_input
        if user_input[CONF_PLAN] == PLAN_CUSTOM:
            return await self.async_step_custom_plan()
        return await self._async_step_after_plan()

    async def async_step_custom_plan(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the limits of a plan that is not in the list."""
        if user_input is None:
            return self.async_show_form(
                step_id="custom_plan",
                data_schema=self.add_suggested_values_to_schema(
                    CUSTOM_PLAN_FORM, self._options
                ),
                last_step=False,
            )
        self._options |= user_input
        return await self._async_step_after_plan()

    async def async_step_live(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask how live data is wanted; each burst costs a call and money."""
        if user_input is None:
            return self.async_show_form(
                step_id="live",
                data_schema=self.add_suggested_values_to_schema(
                    LIVE_FORM, self._options
                ),
                description_placeholders=self._cost(),
            )
        self._options |= user_input
        return self.async_create_entry(data=self._options)

    async def _async_step_after_plan(self) -> ConfigFlowResult:
        if plan_from_options(self._options).has_live_stream:
            return await self.async_step_live()
        # What the plan does not have cannot stay switched on.
        self._options[CONF_LIVE_BURSTS] = False
        return self.async_create_entry(data=self._options)

    def _cost(self) -> dict[str, str]:
        price = plan_from_options(self._options).live_stream_price or 0.0
        pause = self._options.get(CONF_BURST_PAUSE, DEFAULT_BURST_PAUSE)
        bursts = round(_MINUTES_A_MONTH / pause)
        return {
            "price": f"${price:.2f}",
            "pause": str(round(pause)),
            "bursts": str(bursts),
            "cost": f"${bursts * price:.2f}",
        }
