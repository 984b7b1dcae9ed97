"""Forms of the config flow and the options flow."""

from collections.abc import Iterable
from typing import Any, Final

from homeassistant.const import CONF_API_KEY
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
    TimeSelector,
)
import voluptuous as vol

from ..api import System
from ..const import (
    CONF_BURST_LENGTH,
    CONF_BURST_PAUSE,
    CONF_CALL_BUDGET,
    CONF_CALLS_PER_MINUTE,
    CONF_CALLS_PER_MONTH,
    CONF_ENERGY_UPDATES,
    CONF_GROUPS,
    CONF_HISTORY,
    CONF_LIVE_BEGIN,
    CONF_LIVE_BURSTS,
    CONF_LIVE_END,
    CONF_LIVE_HOURS,
    CONF_LIVE_STREAM,
    CONF_PLAN,
    CONF_PROFILE,
    CONF_PUBLISH_INTERVAL,
    CONF_STREAMS_PER_MONTH,
    CONF_SYSTEMS,
    DEFAULT_BURST_LENGTH,
    DEFAULT_BURST_PAUSE,
    DEFAULT_LIVE_BEGIN,
    DEFAULT_LIVE_END,
    DEFAULT_PUBLISH_INTERVAL,
    MAX_STREAM,
    MIN_STREAM,
    PLAN_CUSTOM,
)
from ..documents.base import Group
from ..energy.flows import MOST_UPDATES
from ..quota.plans import PLANS
from ..runtime.options import History, LiveHours
from ..scheduling.weights import Profile


def _integer(minimum: float, maximum: float, unit: str | None = None) -> Any:
    config = NumberSelectorConfig(
        min=minimum, max=maximum, step=1, mode=NumberSelectorMode.BOX
    )
    if unit:
        config["unit_of_measurement"] = unit
    return vol.All(NumberSelector(config), vol.Coerce(int))


def _choice(options: list[str], translation_key: str) -> SelectSelector:
    return SelectSelector(
        SelectSelectorConfig(
            options=options,
            translation_key=translation_key,
            mode=SelectSelectorMode.DROPDOWN,
        )
    )


_SECRET: Final = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))
_PLAN: Final = {
    vol.Required(CONF_PLAN, default=next(iter(PLANS))): _choice(
        [*PLANS, PLAN_CUSTOM], CONF_PLAN
    )
}

API_KEY_FORM: Final = vol.Schema({vol.Required(CONF_API_KEY): _SECRET, **_PLAN})

# An empty field keeps the key that is known.
KEEP_API_KEY_FORM: Final = vol.Schema({vol.Optional(CONF_API_KEY): _SECRET, **_PLAN})

PLAN_FORM: Final = vol.Schema(_PLAN)

CUSTOM_PLAN_FORM: Final = vol.Schema(
    {
        vol.Required(CONF_CALLS_PER_MINUTE, default=10): _integer(1, 10_000),
        vol.Required(CONF_CALLS_PER_MONTH, default=1000): _integer(100, 10_000_000),
        vol.Required(CONF_LIVE_STREAM, default=False): BooleanSelector(),
    }
)

CALL_BUDGET_FORM: Final = vol.Schema(
    {vol.Required(CONF_CALL_BUDGET, default=0): _integer(0, 10_000, "USD")}
)

PROFILE_FORM: Final = vol.Schema(
    {
        vol.Required(CONF_PROFILE, default=Profile.BALANCED): _choice(
            list(Profile), CONF_PROFILE
        ),
        vol.Required(CONF_GROUPS, default=[]): SelectSelector(
            SelectSelectorConfig(
                options=list(Group),
                translation_key=CONF_GROUPS,
                multiple=True,
                mode=SelectSelectorMode.LIST,
            )
        ),
    }
)

ENERGY_FORM: Final = vol.Schema(
    {
        vol.Required(CONF_ENERGY_UPDATES, default=1): _integer(0, MOST_UPDATES),
        vol.Required(CONF_HISTORY, default=History.DAY): _choice(
            list(History), CONF_HISTORY
        ),
    }
)

LIVE_FORM: Final = vol.Schema(
    {
        vol.Required(CONF_STREAMS_PER_MONTH, default=0): _integer(0, 100_000),
        vol.Required(CONF_LIVE_BURSTS, default=False): BooleanSelector(),
        vol.Required(CONF_BURST_PAUSE, default=DEFAULT_BURST_PAUSE): _integer(
            5, 1440, "min"
        ),
        vol.Required(CONF_BURST_LENGTH, default=DEFAULT_BURST_LENGTH): _integer(
            MIN_STREAM.total_seconds(), MAX_STREAM.total_seconds(), "s"
        ),
        vol.Required(CONF_LIVE_HOURS, default=LiveHours.ALL_DAY): _choice(
            list(LiveHours), CONF_LIVE_HOURS
        ),
        vol.Required(CONF_LIVE_BEGIN, default=DEFAULT_LIVE_BEGIN): TimeSelector(),
        vol.Required(CONF_LIVE_END, default=DEFAULT_LIVE_END): TimeSelector(),
        vol.Required(CONF_PUBLISH_INTERVAL, default=DEFAULT_PUBLISH_INTERVAL): _integer(
            1, 60, "s"
        ),
    }
)


def systems_form(found: Iterable[System], *, chosen: list[str]) -> vol.Schema:
    """Return a form to choose among systems, told apart by their ids."""
    options = [
        SelectOptionDict(
            value=str(system.system_id), label=f"{system.name} ({system.system_id})"
        )
        for system in found
    ]
    return vol.Schema(
        {
            vol.Required(CONF_SYSTEMS, default=chosen): SelectSelector(
                SelectSelectorConfig(
                    options=options, multiple=True, mode=SelectSelectorMode.LIST
                )
            )
        }
    )
