"""Forms of the config flow and the options flow."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, Final

from homeassistant.const import CONF_API_KEY, CONF_CODE
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
    CONF_ENERGY_DASHBOARD,
    CONF_GROUPS,
    CONF_NEW_KEY,
    CONF_PLAN,
    CONF_SYSTEMS,
    PLAN_CUSTOM,
)
from ..dashboard.sources import Kind
from ..dashboard.wizard import Choice
from ..documents.base import Group
from ..money.tariff import MOST_PRICE
from ..quota.plans import PLANS
from ..runtime.options import OPTIONS, PANEL_STATISTICS, STREAMS_PER_MONTH, Form, Option
from .tariff_forms import CONF_PRICE


def _integer(minimum: float, maximum: float, unit: str | None = None) -> Any:
    config = NumberSelectorConfig(
        min=minimum, max=maximum, step=1, mode=NumberSelectorMode.BOX
    )
    if unit:
        config["unit_of_measurement"] = unit
    return vol.All(NumberSelector(config), vol.Coerce(int))


def _choice(options: Sequence[str], translation_key: str) -> SelectSelector:
    return SelectSelector(
        SelectSelectorConfig(
            options=list(options),
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

PLAN_FORM: Final = vol.Schema(_PLAN)


def _selector(option: Option[Any]) -> Any:
    """Return the form field for an option, by the type of its default."""
    match option.default:
        case bool():
            return BooleanSelector()
        case int():
            return _integer(option.minimum, option.maximum, option.unit)
        case StrEnum() as default:
            return _choice(list(type(default)), option.key)
    return TimeSelector()


def _form(form: Form) -> vol.Schema:
    return vol.Schema(
        {
            vol.Required(option.key, default=option.default): _selector(option)
            for option in OPTIONS
            if option.form is form
        }
    )


CUSTOM_PLAN_FORM: Final = _form(Form.CUSTOM_PLAN)

CALL_BUDGET_FORM: Final = _form(Form.CALL_BUDGET)

PROFILE_FORM: Final = _form(Form.PROFILE)

ENERGY_FORM: Final = _form(Form.ENERGY)

LIVE_FORM: Final = _form(Form.LIVE)

LIVE_SCHEDULE_FORM: Final = _form(Form.LIVE_SCHEDULE)

LIVE_TIMES_FORM: Final = _form(Form.LIVE_TIMES)

CODE_FORM: Final = vol.Schema({vol.Required(CONF_CODE): TextSelector()})


def api_key_form(
    *, is_known: bool = False, is_new: bool = True, currency: str = "", dashboard: bool
) -> vol.Schema:
    """Return the form of key and plan; an empty field keeps a key that `is_known`.

    With a currency it has fields for the price of energy from the grid and for live
    streams, with `dashboard` one for adding the systems to the Energy dashboard.
    """
    api_key = (vol.Optional if is_known else vol.Required)(CONF_API_KEY)
    fields = {
        api_key: _SECRET,
        **_PLAN,
        vol.Required(CONF_NEW_KEY, default=is_new): BooleanSelector(),
    }
    if currency:
        fields[vol.Optional(CONF_PRICE)] = NumberSelector(
            NumberSelectorConfig(
                min=-MOST_PRICE,
                max=MOST_PRICE,
                step="any",
                unit_of_measurement=f"{currency}/kWh",
                mode=NumberSelectorMode.BOX,
            )
        )
        streams = vol.Optional(STREAMS_PER_MONTH.key)
        fields[streams] = _selector(STREAMS_PER_MONTH)
    if dashboard:
        fields[vol.Required(CONF_ENERGY_DASHBOARD, default=True)] = BooleanSelector()
    return vol.Schema(fields)


def devices_form(groups: Iterable[Group]) -> vol.Schema:
    """Return the form of the groups of documents beside power and energy."""
    offered = list(groups)
    wanted = SelectSelector(
        SelectSelectorConfig(
            options=offered,
            translation_key=CONF_GROUPS,
            multiple=True,
            mode=SelectSelectorMode.LIST,
        )
    )
    switches = _form(Form.DEVICES).schema
    if Group.PANEL_TELEMETRY not in offered:
        switches = {
            key: it for key, it in switches.items() if key != PANEL_STATISTICS.key
        }
    return vol.Schema({vol.Required(CONF_GROUPS, default=[]): wanted, **switches})


def dashboard_form(kinds: Iterable[Kind]) -> vol.Schema:
    """Return the form to choose what happens to foreign sources of each kind."""
    return vol.Schema(
        {
            vol.Required(kind.value, default=Choice.SKIP.value): _choice(
                [
                    each
                    for each in Choice
                    if kind is not Kind.HOME or each is not Choice.KEEP_BOTH
                ],
                "dashboard_choice",
            )
            for kind in kinds
        }
    )


def systems_form(found: Iterable[System], *, chosen: list[str]) -> vol.Schema:
    """Return the form to choose systems; labels include ids, for names may be equal."""
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
