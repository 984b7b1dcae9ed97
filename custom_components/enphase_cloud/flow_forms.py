"""Forms of the config flow and the options flow."""

from typing import Final

from homeassistant.const import CONF_API_KEY
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol

from .budget.plans import PLANS
from .budget.schedule import Profile
from .const import (
    CONF_BURST_LENGTH,
    CONF_BURST_PAUSE,
    CONF_CALLS_PER_MINUTE,
    CONF_CALLS_PER_MONTH,
    CONF_LIVE_BURSTS,
    CONF_LIVE_STREAM,
    CONF_PLAN,
    CONF_PROFILE,
    CONF_PUBLISH_INTERVAL,
    DEFAULT_BURST_LENGTH,
    DEFAULT_BURST_PAUSE,
    DEFAULT_PUBLISH_INTERVAL,
    MAX_STREAM,
    MIN_STREAM,
    PLAN_CUSTOM,
)


def _number(minimum: float, maximum: float, unit: str | None = None) -> NumberSelector:
    config = NumberSelectorConfig(
        min=minimum, max=maximum, step=1, mode=NumberSelectorMode.BOX
    )
    if unit:
        config["unit_of_measurement"] = unit
    return NumberSelector(config)


def _choice(options: list[str], translation_key: str) -> SelectSelector:
    return SelectSelector(
        SelectSelectorConfig(
            options=options,
            translation_key=translation_key,
            mode=SelectSelectorMode.DROPDOWN,
        )
    )


_SECRET: Final = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))
_PLAN: Final = _choice([*PLANS, PLAN_CUSTOM], CONF_PLAN)

API_KEY_FORM: Final = vol.Schema(
    {
        vol.Required(CONF_API_KEY): _SECRET,
        vol.Required(CONF_PLAN, default=next(iter(PLANS))): _PLAN,
    }
)

# Where there is a key already, an empty field keeps it.
KEEP_API_KEY_FORM: Final = vol.Schema(
    {vol.Optional(CONF_API_KEY): _SECRET, vol.Required(CONF_PLAN): _PLAN}
)

CUSTOM_PLAN_FORM: Final = vol.Schema(
    {
        vol.Required(CONF_CALLS_PER_MINUTE, default=10): _number(1, 10_000),
        vol.Required(CONF_CALLS_PER_MONTH, default=1000): _number(100, 10_000_000),
        vol.Required(CONF_LIVE_STREAM, default=False): BooleanSelector(),
    }
)

BUDGET_FORM: Final = vol.Schema(
    {
        vol.Required(CONF_PLAN): _PLAN,
        vol.Required(CONF_PROFILE, default=Profile.BALANCED): _choice(
            list(Profile), CONF_PROFILE
        ),
    }
)

LIVE_FORM: Final = vol.Schema(
    {
        vol.Required(CONF_LIVE_BURSTS, default=False): BooleanSelector(),
        vol.Required(CONF_BURST_PAUSE, default=DEFAULT_BURST_PAUSE): _number(
            5, 1440, "min"
        ),
        vol.Required(CONF_BURST_LENGTH, default=DEFAULT_BURST_LENGTH): _number(
            MIN_STREAM.total_seconds(), MAX_STREAM.total_seconds(), "s"
        ),
        vol.Required(CONF_PUBLISH_INTERVAL, default=DEFAULT_PUBLISH_INTERVAL): _number(
            1, 60, "s"
        ),
    }
)
