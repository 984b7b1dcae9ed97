"""A refused document of devices is no longer requested; others continue."""

from collections import Counter
from datetime import timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.enphase_cloud.const import DOMAIN
from simulator import Charger, Fault, IqCharger

from .conftest import SetUp, World
from .flows import User
from .helpers import pass_time

pytestmark = [pytest.mark.thorough, pytest.mark.usefixtures("summer_noon")]

SERIAL = "202620010308"
LIST_OF_CHARGERS = "ev_charger_devices"
OF_EACH_CHARGER = frozenset(
    {
        "ev_charger_telemetry",
        "ev_charger_sessions",
        "ev_charger_schedules",
        "ev_charger_lifetime",
    }
)
OF_SYSTEM = frozenset({"devices", "inverters_summary", "open_alarms"})
PERIODIC = OF_SYSTEM | OF_EACH_CHARGER | {LIST_OF_CHARGERS}
DAILY = ("inverters_summary", "open_alarms", "ev_charger_telemetry")
# A refusal is final, after one retry with a new token; a missing document is requested
# again the next day, or when devices appear, and then once a week.
MOST_IN_TWO_WEEKS = {401: 2, 403: 1, 404: 4, 501: 4}


def _without_entities(hass: HomeAssistant, world: World) -> MockConfigEntry:
    """Return an entry with all groups, but without entities, which take time."""
    groups = ["devices", "panels", "alarms", "ev_charger"]
    entry = world.entry(options={"groups": groups})
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, pref_disable_new_entities=True)
    return entry


def _issues(hass: HomeAssistant) -> dict[str | None, dict[str, str]]:
    return {
        issue.translation_key: dict(issue.translation_placeholders or {})
        for (domain, _), issue in ir.async_get(hass).issues.items()
        if domain == DOMAIN
    }


async def _sign_in_again(
    hass: HomeAssistant, entry: MockConfigEntry, user: User
) -> None:
    entry.async_start_reauth(hass)
    await hass.async_block_till_done()
    [flow] = entry.async_get_active_flows(hass, {SOURCE_REAUTH})
    form = await hass.config_entries.flow.async_configure(flow["flow_id"])
    form = await user.sign_in(await user.submit(form))
    done = await user.submit(form, plan="kilowatt")
    assert done["reason"] == "reauth_successful"
    await hass.async_block_till_done()


@pytest.mark.parametrize("status", MOST_IN_TWO_WEEKS)
@pytest.mark.parametrize("operation", sorted(PERIODIC))
@pytest.mark.wide
async def test_refused_document_is_requested_after_a_new_sign_in(
    hass: HomeAssistant,
    world: World,
    user: User,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    operation: str,
    status: int,
) -> None:
    """Other documents continue, and no reauthentication starts."""
    world.system.install_charger(
        Charger(serial=SERIAL, sessions=()), IqCharger(serial=SERIAL)
    )
    fault = world.cloud.faults.add(Fault(operation=operation, status=status))
    entry = await set_up(_without_entities(hass, world))
    expected = _issues_of(operation, status)
    assert _issues(hass) == expected
    await pass_time(hass, freezer, timedelta(days=14), step=timedelta(hours=6))

    made = Counter(world.calls)
    assert 1 <= made[operation] <= MOST_IN_TWO_WEEKS[status]
    hidden = OF_EACH_CHARGER if operation == LIST_OF_CHARGERS else frozenset()
    others = PERIODIC - hidden - {operation}
    assert others <= set(made)
    assert not hidden & set(made)
    assert all(made[each] >= 14 for each in others.intersection(DAILY))
    assert made["summary"] > 50
    assert not list(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))
    assert _issues(hass) == expected

    world.cloud.faults.remove(fault)
    world.cloud.requests.clear()
    await _sign_in_again(hass, entry, user)
    assert {operation} | hidden <= set(world.calls)
    assert world.calls.count(operation) == 1
    assert not _issues(hass)


def _issues_of(operation: str, status: int) -> dict[str, dict[str, str]]:
    """Return the expected issue, which names the access control or the system."""
    of_chargers = operation.startswith("ev_charger")
    access = "EV Charger Monitoring" if of_chargers else "System Details"
    issues = {
        401: {
            "document_refused": {
                "account": "Home",
                "access_controls": f"{access} (Watt+)",
            }
        },
        403: {"document_forbidden": {"account": "Home", "systems": "Hilltop"}},
    }
    return issues.get(status, {})


async def test_restored_document_is_requested_daily_again(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Two responses without the document make requests weekly; one with it, daily."""
    fault = world.cloud.faults.add(Fault(operation="inverters_summary", status=404))
    entry = await set_up(_without_entities(hass, world))
    await pass_time(hass, freezer, timedelta(days=2), step=timedelta(hours=6))
    assert world.calls.count("inverters_summary") == 2
    await hass.config_entries.async_reload(entry.entry_id)
    await pass_time(hass, freezer, timedelta(days=5), step=timedelta(hours=6))
    assert world.calls.count("inverters_summary") == 2
    world.cloud.faults.remove(fault)
    await pass_time(hass, freezer, timedelta(days=4), step=timedelta(hours=6))
    assert world.calls.count("inverters_summary") == 6


async def test_one_response_without_a_document_changes_nothing(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """It may be an error of the cloud."""
    await set_up(_without_entities(hass, world))
    world.cloud.faults.add(Fault(operation="open_alarms", status=501, times=1))
    await pass_time(hass, freezer, timedelta(days=4), step=timedelta(hours=6))
    assert world.calls.count("open_alarms") == 5
