"""The repairs."""

from datetime import UTC, datetime
import json
from typing import Final

from scripts.browsing.newcomer import CLOSE
from scripts.browsing.visitor import Visitor
from scripts.browsing.words import texts
from scripts.demonstration.home_assistant import Json
from scripts.demonstration.processes import until
from scripts.demonstration.set_up import DOMAIN, systems_of
from simulator.demo import OWNER

from .energy import grid, solar

_OF_THE_DASHBOARD: Final = ("dashboard_double", "dashboard_cost", "dashboard_stale")
_OF_A_REMOVED_SYSTEM: Final = f"{DOMAIN}:1_charger"
# Values as the cloud and Home Assistant give them.
_VALUES: Final = {
    "access_controls": "EV Charger Monitoring (Megawatt+), Streaming APIs (Kilowatt+)",
    "account": "Hillside",
    "alarms": "- **Microinverter not reporting** (Panel 7): Check its breaker.",
    "assumed": "0",
    "beginning": "{'aaaa': 9}",
    "content_type": "application/json",
    "count": "1",
    "flows": "solar production",
    "file": "enphase\\_cloud\\.01kb5m2q.corrupt",
    "foreign": "1,204",
    "holders": "Lake cabin, Farmhouse",
    "left": "29",
    "limit": "10,000",
    "own": "8,796",
    "reasons": "- **Hillside**: Enphase did not respond.",
    "system": "Hillside",
    "systems": "Hillside",
    "time_zone": "Europe/Berlin",
    "until": "1. 12., 01:00",
}


async def of_the_dashboard(visitor: Visitor) -> None:
    """Look at the repairs of energy that is double, outdated or without costs."""
    (system_id,) = systems_of(OWNER)
    ours = f"{DOMAIN}:{system_id}"
    registered = await visitor.home_assistant.command("config/entity_registry/list")
    (sensor,) = [
        each["entity_id"]
        for each in registered
        if each["unique_id"] == f"{system_id}_daily_production"
    ]
    preferences = {
        "energy_sources": [
            solar(f"{ours}_production"),
            solar(sensor),
            grid(f"{ours}_grid_import", f"{ours}_grid_export"),
        ],
        "device_consumption": [{"stat_consumption": _OF_A_REMOVED_SYSTEM}],
    }

    async def are_there() -> bool:
        # Again each time: the integration adds the first costs itself.
        await visitor.home_assistant.command("energy/save_prefs", **preferences)
        found = await visitor.home_assistant.command("repairs/list_issues")
        keys = {each["issue_id"] for each in found["issues"]}
        return keys.issuperset(_OF_THE_DASHBOARD)

    # The integration looks at the dashboard a minute after changes.
    await until("the repairs of the dashboard", are_there, seconds=240)
    await _look(visitor)


async def all_others(visitor: Visitor) -> None:
    """Look at all other repairs, which Home Assistant loads from its storage.

    Most have causes of many hours, or of other systems than those of the simulation.
    """
    stage = visitor.stage
    await stage.home_assistant_program.stop()
    issues = [
        _stored(key, is_fixable="fix_flow" in text)
        for key, text in texts("issues").items()
        if key not in _OF_THE_DASHBOARD
    ]
    path = stage.folder / ".storage" / "repairs.issue_registry"
    stored = {"version": 1, "minor_version": 2, "key": path.name}
    path.write_text(json.dumps({**stored, "data": {"issues": issues}}), "utf-8")
    await stage.start_home_assistant()
    await _look(visitor)


def _stored(key: str, *, is_fixable: bool) -> Json:
    """Return a repair as Home Assistant stores it."""
    return {
        "breaks_in_ha_version": None,
        "created": datetime.now(UTC).isoformat(),
        "data": None,
        "dismissed_version": None,
        "domain": DOMAIN,
        "is_fixable": is_fixable,
        "is_persistent": True,
        "issue_domain": None,
        "issue_id": f"{key}_stored",
        "learn_more_url": None if is_fixable else "https://developer-v4.enphase.com",
        "severity": "warning",
        "translation_key": key,
        "translation_placeholders": _VALUES,
    }


async def _look(visitor: Visitor) -> None:
    """Take a picture of the list, and of each repair."""
    await visitor.user.visit("/config/repairs")
    repairs = visitor.page.locator("ha-config-repairs").get_by_role("button")
    await repairs.first.wait_for()
    await visitor.shoot("repairs")
    for number in range(await repairs.count()):
        await visitor.user.activate(repairs.nth(number))
        await visitor.page.get_by_role("dialog").last.wait_for()
        await visitor.shoot("repair")
        await visitor.user.press(CLOSE)
