"""Set the integration up in Home Assistant, as a user does on screen."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
import re
from typing import Any, Final

from aiohttp import ClientSession
from yarl import URL

from simulator.demo import DEMO_PASSWORD, OWNER, demo_cloud
from simulator.world import Application

from .home_assistant import HomeAssistant, Json
from .processes import DemoError, until

DOMAIN: Final = "enphase_cloud"

_ENTRIES: Final = "/api/config/config_entries/entry"
_FLOW: Final = "/api/config/config_entries/flow"
_OPTIONS_FLOW: Final = "/api/config/config_entries/options/flow"
_TARIFF_FLOW: Final = "/api/config/config_entries/subentries/flow"

type Answers = Mapping[str, Mapping[str, Any]]
"""What to fill in, by the steps of a flow."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A developer's application, and the home owner who lets it read."""

    application: Application
    email: str = OWNER
    password: str = DEMO_PASSWORD

    @property
    def system_ids(self) -> list[int]:
        """Return the ids of the systems that the owner has."""
        return [
            system.system_id
            for system in demo_cloud().systems
            if system.account.email == self.email
        ]


def demo_credentials(email: str = OWNER) -> Credentials:
    """Return an application whose plan has live streams, and an owner."""
    application = demo_cloud().application("demo-kilowatt")
    assert application is not None
    return Credentials(application, email)


async def entries_of_integration(home_assistant: HomeAssistant) -> list[Json]:
    """Return the integration's config entries, oldest first."""
    entries: list[Json] = await home_assistant.get(_ENTRIES)
    return [entry for entry in entries if entry["domain"] == DOMAIN]


async def entities_of(
    home_assistant: HomeAssistant, system_id: int
) -> dict[str, dict[str, str]]:
    """Return the enabled entities of a system and of the account, by their keys."""
    key = re.compile(rf"(?:{system_id}|account_[^_]+)_(.+)")
    registered = await home_assistant.command("config/entity_registry/list")
    return {
        found[1]: entry
        for entry in registered
        if entry["platform"] == DOMAIN
        and (found := key.fullmatch(entry["unique_id"]))
        and entry["disabled_by"] is None
    }


async def add_integration(
    session: ClientSession,
    home_assistant: HomeAssistant,
    credentials: Credentials,
    *,
    energy: Mapping[str, Any],
) -> Json:
    """Add the integration through its config flow; return its config entry.

    `energy` answers what statistics of energies are wanted.
    """
    application = credentials.application
    await home_assistant.command(
        "application_credentials/create",
        domain=DOMAIN,
        client_id=application.client_id,
        client_secret=application.client_secret,
        name=f"{application.name} ({application.plan.name})",
    )
    step = await home_assistant.post(_FLOW, {"handler": DOMAIN})
    if step["type"] != "external":
        raise DemoError(f"The config flow does not begin with a sign-in: {step}")
    await _sign_in(session, URL(step["url"]), credentials)
    key = {"api_key": application.api_key, "plan": application.plan.name.lower()}
    step = await home_assistant.get(f"{_FLOW}/{step['flow_id']}")
    await _answer(home_assistant, _FLOW, step, {"api_key": key, "energy": energy})
    entry = (await entries_of_integration(home_assistant))[-1]
    if entry["state"] != "loaded":
        raise DemoError(f"The integration is not loaded: {entry['reason']}.")
    return entry


async def choose_options(
    home_assistant: HomeAssistant, entry_id: str, **answers: Mapping[str, Any]
) -> None:
    """Answer forms of the options by their steps, keep the others as they are."""
    step = await home_assistant.post(_OPTIONS_FLOW, {"handler": entry_id})
    await _answer(home_assistant, _OPTIONS_FLOW, step, answers)


async def add_tariff(
    home_assistant: HomeAssistant, entry_id: str, answers: Answers
) -> None:
    """Tell what energy costs, by the steps of the flow that asks for it."""

    async def is_loaded() -> bool:
        entries = await entries_of_integration(home_assistant)
        return (entry_id, "loaded") in {
            (entry["entry_id"], entry["state"]) for entry in entries
        }

    # What was set up before this makes it reload.
    await until("the integration is loaded", is_loaded)
    handler = {"handler": [entry_id, "tariff"]}
    step = await home_assistant.post(_TARIFF_FLOW, handler)
    await _answer(home_assistant, _TARIFF_FLOW, step, answers)


async def _sign_in(session: ClientSession, page: URL, credentials: Credentials) -> None:
    """Fill in the cloud's sign-in page, approve, and go back to Home Assistant."""
    async with session.post(
        page.with_query(None),
        data={
            **page.query,
            "email": credentials.email,
            "password": credentials.password,
            "decision": "approve",
        },
    ) as response:
        if response.status != HTTPStatus.OK or not response.history:
            raise DemoError(f"The sign-in was answered with {response.status}.")


async def _answer(
    home_assistant: HomeAssistant, path: str, step: Json, answers: Answers
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
