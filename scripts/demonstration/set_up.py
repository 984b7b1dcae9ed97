"""Set Home Assistant and the integration up, as a user does on screen."""

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import ClientSession
from yarl import URL

from simulator.world import Application

from .credentials import Credentials
from .home_assistant import HomeAssistant, Json
from .processes import DemoError
from .sign_in import sign_in

DOMAIN: Final = "enphase_cloud"

_ENTRIES: Final = "/api/config/config_entries/entry"
_FLOW: Final = "/api/config/config_entries/flow"
_OPTIONS_FLOW: Final = "/api/config/config_entries/options/flow"


# Where the demo's owner lives.
TIME_ZONE: Final = "America/Los_Angeles"
_HOME: Final = {
    "location_name": "Hillside",
    "latitude": 37.8,
    "longitude": -122.3,
    "elevation": 50,
    "time_zone": TIME_ZONE,
    "country": "US",
    "currency": "USD",
    "unit_system": "metric",
}


async def onboard(home_assistant: HomeAssistant) -> None:
    """Log in, and do what is still missing of the onboarding."""
    unfinished = await home_assistant.unfinished_onboarding()
    if "user" in unfinished:
        await home_assistant.create_owner("Demo")
        await home_assistant.command("config/core/update", **_HOME)
    else:
        await home_assistant.log_in()
    # Analytics stay off unless they are chosen.
    for step in ("analytics", "integration"):
        if step in unfinished:
            await home_assistant.finish_onboarding(step)


async def entries_of_integration(home_assistant: HomeAssistant) -> list[Json]:
    """Return the integration's config entries, oldest first."""
    entries: list[Json] = await home_assistant.get(_ENTRIES)
    return [entry for entry in entries if entry["domain"] == DOMAIN]


async def add_integration(
    session: ClientSession,
    home_assistant: HomeAssistant,
    credentials: Credentials,
    *,
    energy: Mapping[str, Any] | None = None,
) -> Json:
    """Add the integration through its config flow; return its config entry.

    Without an answer about statistics of energies, what the flow suggests is taken.
    """
    await _add_application(home_assistant, credentials.application)
    step = await home_assistant.post(_FLOW, {"handler": DOMAIN})
    if step["type"] != "external":
        raise DemoError(f"The config flow does not begin with a sign-in: {step}")
    await sign_in(session, URL(step["url"]), credentials)
    application = credentials.application
    answers: dict[str, Mapping[str, Any]] = {
        "api_key": {
            "api_key": application.api_key,
            "plan": application.plan.name.lower(),
        }
    }
    if energy is not None:
        answers["energy"] = energy
    step = await home_assistant.get(f"{_FLOW}/{step['flow_id']}")
    await _answer(home_assistant, _FLOW, step, answers)
    entry = (await entries_of_integration(home_assistant))[-1]
    if entry["state"] != "loaded":
        raise DemoError(f"The integration is not loaded: {entry['reason']}.")
    return entry


async def add_automation(home_assistant: HomeAssistant, **automation: Any) -> None:
    """Add an automation as the frontend's editor does."""
    await home_assistant.post("/api/config/automation/config/demo", automation)


async def choose_options(
    home_assistant: HomeAssistant, entry_id: str, **answers: Mapping[str, Any]
) -> None:
    """Answer forms of the options by their steps, keep the others as they are."""
    step = await home_assistant.post(_OPTIONS_FLOW, {"handler": entry_id})
    await _answer(home_assistant, _OPTIONS_FLOW, step, answers)


async def _add_application(
    home_assistant: HomeAssistant, application: Application
) -> None:
    known: list[Json] = await home_assistant.command("application_credentials/list")
    if any(item["client_id"] == application.client_id for item in known):
        return
    await home_assistant.command(
        "application_credentials/create",
        domain=DOMAIN,
        client_id=application.client_id,
        client_secret=application.client_secret,
        name=f"{application.name} ({application.plan.name})",
    )


async def _answer(
    home_assistant: HomeAssistant,
    path: str,
    step: Json,
    answers: Mapping[str, Mapping[str, Any]],
) -> None:
    """Fill in the forms of a flow until it has made what it is for.

    A form without an answer is sent as it comes, filled in with what it suggests.
    """
    while step["type"] == "form":
        if step["errors"]:
            raise DemoError(f"The step {step['step_id']} shows {step['errors']}")
        given = answers.get(step["step_id"], _as_it_comes(step))
        step = await home_assistant.post(f"{path}/{step['flow_id']}", dict(given))
    if step["type"] != "create_entry":
        raise DemoError(f"The flow ended with {step.get('reason', step['type'])}")


def _as_it_comes(step: Json) -> Json:
    filled: Json = {}
    for field in step["data_schema"]:
        suggested = (field.get("description") or {}).get("suggested_value")
        value = field.get("default") if suggested is None else suggested
        if value is not None:
            filled[field["name"]] = value
    return filled
