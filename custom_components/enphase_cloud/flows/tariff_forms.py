"""Forms of tariffs, and the conversion of user input for the subentry."""

from calendar import monthrange
from collections.abc import Iterable, Mapping
from typing import Any, Final

from homeassistant.const import CONF_ENTITY_ID, Platform
from homeassistant.helpers.selector import (
    BooleanSelector,
    DateSelector,
    EntitySelector,
    EntitySelectorConfig,
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
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..const import CONF_SYSTEM
from ..errors import number, readable
from ..json_values import day
from ..money.tariff import MOST_PERIODS, Direction, PriceKind, price, price_text

CONF_ADD: Final = "add"
CONF_DIRECTION: Final = "direction"
CONF_END: Final = "end"
CONF_FIRST: Final = "first"
CONF_HOLIDAYS: Final = "holidays"
CONF_KIND: Final = "kind"
CONF_LAST: Final = "last"
CONF_NEXT: Final = "next"
CONF_PERIODS: Final = "periods"
CONF_PRICE: Final = "price"
CONF_REMOVE: Final = "remove"
CONF_STANDING_CHARGE: Final = "standing_charge"
CONF_START: Final = "start"
CONF_VALID_FROM: Final = "valid_from"
CONF_VERSION: Final = "version"
CONF_VERSIONS: Final = "versions"
CONF_WEEKDAYS: Final = "weekdays"

BEGINNING: Final = "beginning"
SAVE: Final = "save"

CHOICES: Final = {
    CONF_DIRECTION: tuple(Direction),
    "price_kind": tuple(PriceKind),
    CONF_WEEKDAYS: ("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
    "month": tuple(str(month) for month in range(1, 13)),
    "period": (SAVE, CONF_ADD),
    CONF_VERSION: (BEGINNING,),
}
"""The values of each choice, by the keys of its translations."""

_LEAP_YEAR: Final = 2024

type Stored = dict[str, Any]
"""Prices or a period as the subentry stores them: plain JSON."""


def _choice(
    key: str, labels: Mapping[str, str] | None = None, *, multiple: bool = False
) -> SelectSelector:
    """Return a choice of the translated values of a key, or of `labels` by value."""
    options = [
        SelectOptionDict(value=value, label=label)
        for value, label in (labels or {each: each for each in CHOICES[key]}).items()
    ]
    # Up to the seven weekdays fit on a form.
    is_short = len(options) <= len(CHOICES[CONF_WEEKDAYS])
    return SelectSelector(
        SelectSelectorConfig(
            options=options,
            translation_key=key,
            multiple=multiple,
            mode=SelectSelectorMode.LIST if is_short else SelectSelectorMode.DROPDOWN,
        )
    )


def _amount(unit: str) -> NumberSelector:
    return NumberSelector(
        NumberSelectorConfig(
            step="any", unit_of_measurement=unit, mode=NumberSelectorMode.BOX
        )
    )


_KIND: Final = {vol.Required(CONF_KIND, default=PriceKind.FIXED): _choice("price_kind")}

NEW_PRICES_FORM: Final = vol.Schema(
    {vol.Required(CONF_VALID_FROM): DateSelector()}
).extend(_KIND)


def tariff_form(systems: Mapping[str, str]) -> vol.Schema:
    """Return the first form of a tariff; it has no field for a single system."""
    options = [
        SelectOptionDict(value=value, label=label) for value, label in systems.items()
    ]
    system = {
        vol.Required(CONF_SYSTEM): SelectSelector(SelectSelectorConfig(options=options))
    }
    return vol.Schema(
        {
            **(system if len(systems) > 1 else {}),
            vol.Required(CONF_DIRECTION, default=Direction.IMPORT): _choice(
                CONF_DIRECTION
            ),
            **_KIND,
        }
    )


def prices_form(kind: str, direction: str, currency: str) -> vol.Schema:
    """Return the form of a kind of prices; exports have no standing charge."""
    amount = {vol.Required(CONF_PRICE): _amount(f"{currency}/kWh")}
    fields: dict[Any, Any] = (
        {
            vol.Required(CONF_ENTITY_ID): EntitySelector(
                EntitySelectorConfig(domain=Platform.SENSOR)
            )
        }
        if kind == PriceKind.ENTITY
        else amount
    )
    if direction == Direction.IMPORT:
        charge = vol.Required(CONF_STANDING_CHARGE, default=0)
        fields[charge] = _amount(f"{currency}/d")
    if kind == PriceKind.TIME_OF_USE:
        fields[vol.Optional(CONF_HOLIDAYS)] = TextSelector(
            TextSelectorConfig(type=TextSelectorType.DATE, multiple=True)
        )
    return vol.Schema(fields)


def period_form(currency: str, *, is_new: bool) -> vol.Schema:
    """Return the form of a time-of-use period."""
    also = CONF_ADD if is_new else CONF_REMOVE
    days = list(CHOICES[CONF_WEEKDAYS])
    return vol.Schema(
        {
            vol.Required(CONF_PRICE): _amount(f"{currency}/kWh"),
            vol.Required(CONF_START): TimeSelector(),
            vol.Required(CONF_END): TimeSelector(),
            vol.Required(CONF_WEEKDAYS, default=days): _choice(
                CONF_WEEKDAYS, multiple=True
            ),
            vol.Required(CONF_HOLIDAYS, default=False): BooleanSelector(),
            vol.Optional(CONF_FIRST): _choice("month"),
            vol.Optional(CONF_LAST): _choice("month"),
            vol.Required(also, default=False): BooleanSelector(),
        }
    )


def periods_form(periods: Iterable[str]) -> vol.Schema:
    """Return the form that lists periods, to change one, add one, or save."""
    labels = {str(index): label for index, label in enumerate(periods)}
    if len(labels) < MOST_PERIODS:
        labels[CONF_ADD] = CONF_ADD
    labels[SAVE] = SAVE
    return vol.Schema(
        {vol.Required(CONF_NEXT, default=SAVE): _choice("period", labels)}
    )


def versions_form(days: Iterable[str], chosen: str) -> vol.Schema:
    """Return the form to choose a version by its first day."""
    labels = {each: each if each == BEGINNING else readable(day(each)) for each in days}
    choice = _choice(CONF_VERSION, labels)
    return vol.Schema({vol.Required(CONF_VERSION, default=chosen): choice})


def stored_prices(user_input: Mapping[str, Any], errors: dict[str, str]) -> Stored:
    """Return prices to store; adds the errors of fields to `errors`."""
    stored = dict(user_input)
    _convert_amounts(stored, errors)
    days = {stored_day(each) for each in user_input.get(CONF_HOLIDAYS, ())}
    if None in days:
        errors[CONF_HOLIDAYS] = "invalid_day"
    elif days:
        stored[CONF_HOLIDAYS] = sorted(filter(None, days))
    return stored


def stored_period(user_input: Mapping[str, Any], errors: dict[str, str]) -> Stored:
    """Return a period to store; adds the errors of fields to `errors`."""
    stored = {key: user_input[key] for key in (CONF_PRICE, CONF_HOLIDAYS)}
    _convert_amounts(stored, errors)
    weekdays = CHOICES[CONF_WEEKDAYS]
    stored[CONF_WEEKDAYS] = sorted(map(weekdays.index, user_input[CONF_WEEKDAYS]))
    for key in (CONF_START, CONF_END):
        moment = dt_util.parse_time(user_input[key])
        stored[key] = moment and moment.isoformat("minutes")
    if not user_input[CONF_WEEKDAYS]:
        errors[CONF_WEEKDAYS] = "choose_a_weekday"
    months = [int(user_input.get(key) or 0) for key in (CONF_FIRST, CONF_LAST)]
    if all(months):
        first, last = months
        stored[CONF_FIRST] = f"{first:02}-01"
        stored[CONF_LAST] = f"{last:02}-{monthrange(_LEAP_YEAR, last)[1]}"
    elif any(months):
        errors[CONF_FIRST if months[1] else CONF_LAST] = "month_missing"
    return stored


def stored_day(text: str) -> str | None:
    """Return a day to store in ISO format, None where it is invalid."""
    try:
        return day(text).isoformat()
    except ValueError:
        return None


def _convert_amounts(stored: Stored, errors: dict[str, str]) -> None:
    """Convert numbers into decimal texts, without rounding errors of floats."""
    for key in {CONF_PRICE, CONF_STANDING_CHARGE} & stored.keys():
        try:
            amount = price(repr(float(stored[key])))
        except ValueError:
            errors[key] = "out_of_range"
            continue
        if amount < 0 and key == CONF_STANDING_CHARGE:
            errors[key] = "charge_negative"
        stored[key] = price_text(amount)


def form_values(stored: Stored) -> dict[str, Any]:
    """Return the values of form fields for stored prices or a stored period."""
    values = dict(stored)
    for key in {CONF_PRICE, CONF_STANDING_CHARGE} & stored.keys():
        values[key] = float(stored[key])
    if CONF_WEEKDAYS in stored:
        weekdays = CHOICES[CONF_WEEKDAYS]
        values[CONF_WEEKDAYS] = [weekdays[day] for day in stored[CONF_WEEKDAYS]]
    for key in {CONF_FIRST, CONF_LAST} & stored.keys():
        values[key] = str(int(stored[key][:2]))
    return values


def label_of(period: Stored, names: Mapping[str, str]) -> str:
    """Return a short text that identifies a period of a tariff.

    `names` are the names of months and weekdays by keys of their translations.
    """
    weekdays = CHOICES[CONF_WEEKDAYS]
    days = [f"{CONF_WEEKDAYS}.{weekdays[day]}" for day in period[CONF_WEEKDAYS]]
    decimals = len(period[CONF_PRICE].partition(".")[2])
    paid = number(float(period[CONF_PRICE]), decimals)
    parts = [paid, f"{period[CONF_START]}-{period[CONF_END]}"]
    if len(days) < len(weekdays):
        parts.append(", ".join(names.get(day, day) for day in days))
    if CONF_FIRST in period:
        months = [f"month.{int(period[key][:2])}" for key in (CONF_FIRST, CONF_LAST)]
        parts.append(" - ".join(names.get(month, month) for month in months))
    return " · ".join(filter(None, parts))
