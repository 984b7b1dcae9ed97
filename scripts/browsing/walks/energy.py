"""Tariffs, arrays, and the Energy dashboard."""

from typing import Final

from scripts.browsing.newcomer import CLOSE, NEXT, configure
from scripts.browsing.visitor import Visitor
from scripts.browsing.words import texts
from scripts.demonstration.home_assistant import Json
from scripts.demonstration.processes import until
from scripts.demonstration.set_up import (
    DOMAIN,
    TARIFFS,
    add_array,
    add_tariff,
    change_tariff,
    entries_of_integration,
)

from .accounts import PAGE

_TARIFF: Final = "config_subentries.tariff"
_STEP: Final = f"{_TARIFF}.step"
_KINDS: Final = ("fixed", "time_of_use", "entity")
_NEW_PRICES: Final = {
    "new_prices": {"valid_from": "2026-07-01", "kind": "fixed"},
    "fixed": {"price": 0.36},
}
# The flows of a complete system: production, consumption, and both directions of grid
# and batteries.
_FLOWS: Final = 6


async def new_tariffs(visitor: Visitor) -> None:
    """Open the forms of a tariff of each kind."""
    for kind in _KINDS:
        await visitor.user.visit(PAGE)
        await visitor.user.press(f"{_TARIFF}.initiate_flow.user")
        await visitor.user.sees(f"{_STEP}.user.data.direction")
        if kind == "fixed":
            await visitor.shoot("tariff")
        option = await visitor.user.name(f"selector.price_kind.options.{kind}")
        await visitor.user.activate(visitor.page.get_by_role("radio", name=option))
        await visitor.user.press(NEXT)
        await visitor.user.sees(f"{_STEP}.{kind}.data.standing_charge")
        await visitor.shoot(f"tariff-{kind}")
        if kind == "time_of_use":
            await visitor.user.fill(f"{_STEP}.{kind}.data.price", "0.34")
            await visitor.user.press(NEXT)
            await visitor.user.sees(f"{_STEP}.period.data.start")
            await visitor.shoot("tariff-period")


async def changed_tariffs(visitor: Visitor) -> None:
    """Correct the prices of a tariff; with new prices, open all pages of a change."""
    (entry,) = await entries_of_integration(visitor.home_assistant)
    tariff, *_ = TARIFFS
    await add_tariff(visitor.home_assistant, entry, tariff)
    await _open_change(visitor, "correct")
    await visitor.user.sees(f"{_STEP}.time_of_use.data.standing_charge")
    await visitor.user.press(NEXT)
    await visitor.user.sees(f"{_STEP}.periods.data.next")
    await visitor.shoot("tariff-periods")
    await visitor.user.activate(visitor.page.get_by_role("radio").first)
    await visitor.user.press(NEXT)
    await visitor.user.sees(f"{_STEP}.period.data.remove")
    await visitor.shoot("tariff-change-period")
    await change_tariff(visitor.home_assistant, entry, _NEW_PRICES)
    for number, name in enumerate(texts(f"{_STEP}.reconfigure.menu_options")):
        await _open_change(visitor, name, shows_menu=not number)
        await visitor.user.sees(f"{_STEP}.{name}.description")
        await visitor.shoot(f"tariff-{name}")
        await visitor.user.press(CLOSE)


async def _open_change(
    visitor: Visitor, name: str, *, shows_menu: bool = False
) -> None:
    await visitor.user.visit(PAGE)
    await visitor.user.press(f"{_TARIFF}.initiate_flow.reconfigure")
    page = f"{_STEP}.reconfigure.menu_options.{name}"
    await visitor.user.sees(page)
    if shows_menu:
        await visitor.shoot("tariff-change")
    await visitor.user.open_page(page)


async def arrays(visitor: Visitor) -> None:
    """Open the form of an array, with an error, and that of a change."""
    array = "config_subentries.array"
    await visitor.user.visit(PAGE)
    await visitor.user.press(f"{array}.initiate_flow.user")
    await visitor.user.fill(f"{array}.step.array.data.name", "Garage")
    await visitor.submit("array")
    await visitor.user.press(CLOSE)
    (entry,) = await entries_of_integration(visitor.home_assistant)
    await add_array(visitor.home_assistant, entry, "Garage")
    await visitor.user.visit(PAGE)
    await visitor.user.press(f"{array}.initiate_flow.reconfigure")
    await visitor.user.sees(f"{array}.step.reconfigure.data.name")
    await visitor.shoot("array-change")
    await visitor.user.press(CLOSE)


async def dashboard(visitor: Visitor) -> None:
    """Open the page for the Energy dashboard, empty and with foreign sources."""
    command = visitor.home_assistant.command

    async def has_statistics() -> bool:
        known = await command("recorder/list_statistic_ids")
        return sum(each["source"] == DOMAIN for each in known) >= _FLOWS

    # After each change of the account, energy is read a minute later.
    await until("the statistics", has_statistics, seconds=180)
    foreign = [
        solar("sensor.inverter_energy"),
        grid("sensor.grid_import", "sensor.grid_export"),
        {
            "type": "battery",
            "stat_energy_from": "sensor.battery_discharge",
            "stat_energy_to": "sensor.battery_charge",
        },
        {"type": "home", "stat_energy_to": "sensor.home_energy"},
    ]
    for name, sources in (("empty", []), ("choices", foreign)):
        await command("energy/save_prefs", energy_sources=sources)
        await visitor.user.visit(PAGE)
        await configure(visitor.user, "dashboard")
        await visitor.shoot_flow(f"energy-dashboard-{name}")
        await visitor.user.press(CLOSE)


def solar(statistic: str) -> Json:
    """Return solar production as in the preferences of the Energy dashboard."""
    return {
        "type": "solar",
        "stat_energy_from": statistic,
        "config_entry_solar_forecast": None,
    }


def grid(imported: str, exported: str) -> Json:
    """Return a grid connection without costs as in these preferences."""
    return {
        "type": "grid",
        "stat_energy_from": imported,
        "stat_energy_to": exported,
        "stat_cost": None,
        "entity_energy_price": None,
        "number_energy_price": None,
        "stat_compensation": None,
        "entity_energy_price_export": None,
        "number_energy_price_export": None,
        "cost_adjustment_day": 0.0,
    }
