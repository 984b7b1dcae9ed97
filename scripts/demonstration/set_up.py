"""Set the integration up in Home Assistant, through the flows that a user sees."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from yarl import URL

from simulator.demo import DEMO_PASSWORD, OWNER, demo_cloud
from simulator.world import Application

from .command_line import PLANS, DemoError
from .home_assistant import HomeAssistant, Json
from .processes import until

DOMAIN: Final = "enphase_cloud"
_FLOW: Final = "/api/config/config_entries/flow"
_OPTIONS_FLOW: Final = "/api/config/config_entries/options/flow"
_SUBENTRY_FLOW: Final = "/api/config/config_entries/subentries/flow"

type Inputs = Mapping[str, Mapping[str, Any]]
"""The user's input by the step of a flow."""

# Import is expensive in the evening; export earns little.
TARIFFS: Final[tuple[Inputs, ...]] = (
    {
        "user": {"direction": "import", "kind": "time_of_use"},
        "time_of_use": {"price": 0.34, "standing_charge": 0.4},
        "period": {"price": 0.52, "start": "16:00:00", "end": "21:00:00"},
    },
    {"user": {"direction": "export", "kind": "fixed"}, "fixed": {"price": 0.08}},
)


def application(plan: str = PLANS[0]) -> Application:
    """Return a developer's application with a plan."""
    found = demo_cloud().application(f"demo-{plan}")
    assert found is not None
    return found


def systems_of(owner: str) -> list[int]:
    """Return the ids of a home owner's systems, by the owner's email."""
    systems = demo_cloud().systems
    return [each.system_id for each in systems if each.account.email == owner]


async def entries_of_integration(home_assistant: HomeAssistant) -> list[Json]:
    """Return the integration's config entries, oldest first."""
    entries = await home_assistant.get("/api/config/config_entries/entry")
    return [entry for entry in entries if entry["domain"] == DOMAIN]


async def add_integration(
    home_assistant: HomeAssistant, *, plan: str = PLANS[0]
) -> Json:
    """Add the integration through its config flow; return its config entry."""
    registered = application(plan)
    await _add_credentials(home_assistant, registered)
    step = await home_assistant.post(_FLOW, {"handler": DOMAIN})
    if step["step_id"] == "pick_implementation":
        step = await _pick(home_assistant, step, registered)
    if step["type"] != "external":
        raise DemoError(f"The config flow does not begin with a sign-in: {step}")
    await _sign_in(home_assistant, URL(step["url"]))
    key = {"api_key": registered.api_key, "plan": registered.plan.name.lower()}
    step = await home_assistant.get(f"{_FLOW}/{step['flow_id']}")
    await _complete(home_assistant, _FLOW, step, {"api_key": key})
    entry = (await entries_of_integration(home_assistant))[-1]
    if entry["state"] != "loaded":
        raise DemoError(f"The integration is not loaded: {entry['reason']}.")
    return entry


async def _add_credentials(
    home_assistant: HomeAssistant, registered: Application
) -> None:
    """Enter an application's credentials, unless an earlier try has done so."""
    known = await home_assistant.command("application_credentials/list")
    if any(each["client_id"] == registered.client_id for each in known):
        return
    await home_assistant.command(
        "application_credentials/create",
        domain=DOMAIN,
        client_id=registered.client_id,
        client_secret=registered.client_secret,
        name=f"{registered.name} ({registered.plan.name})",
    )


async def _pick(
    home_assistant: HomeAssistant, step: Json, registered: Application
) -> Json:
    """Select one of several applications, and return the next step."""
    known = await home_assistant.command("application_credentials/list")
    (chosen,) = [
        each.get("auth_domain", each["id"])
        for each in known
        if each["client_id"] == registered.client_id
    ]
    path = f"{_FLOW}/{step['flow_id']}"
    following: Json = await home_assistant.post(path, {"implementation": chosen})
    return following


async def choose_options(
    home_assistant: HomeAssistant, entry: Json, **inputs: Mapping[str, Any]
) -> None:
    """Fill in a page of the options, named by the first step, and those after it.

    Forms without input are sent unchanged.
    """
    await until_loaded(home_assistant, entry)
    menu = await home_assistant.post(_OPTIONS_FLOW, {"handler": entry["entry_id"]})
    chosen = {"next_step_id": next(iter(inputs))}
    step = await home_assistant.post(f"{_OPTIONS_FLOW}/{menu['flow_id']}", chosen)
    await _complete(home_assistant, _OPTIONS_FLOW, step, inputs)


async def add_tariff(
    home_assistant: HomeAssistant, entry: Json, inputs: Inputs
) -> None:
    """Add a tariff through its flow."""
    step = await _begin_subentry(home_assistant, entry, "tariff")
    await _complete(home_assistant, _SUBENTRY_FLOW, step, inputs)


async def change_tariff(
    home_assistant: HomeAssistant, entry: Json, inputs: Inputs
) -> None:
    """Change the only tariff, from the page on that the first step names."""
    (tariff,) = await home_assistant.command(
        "config_entries/subentries/list", entry_id=entry["entry_id"]
    )
    changed = {"subentry_id": tariff["subentry_id"]}
    menu = await _begin_subentry(home_assistant, entry, "tariff", **changed)
    chosen = {"next_step_id": next(iter(inputs))}
    step = await home_assistant.post(f"{_SUBENTRY_FLOW}/{menu['flow_id']}", chosen)
    await _complete(home_assistant, _SUBENTRY_FLOW, step, inputs)


async def add_array(home_assistant: HomeAssistant, entry: Json, name: str) -> None:
    """Add an array of all panels of the only system."""
    step = await _begin_subentry(home_assistant, entry, "array")
    (panels,) = [it for it in step["data_schema"] if it["name"] == "panels"]
    options = panels["selector"]["select"]["options"]
    values = {"name": name, "panels": [each["value"] for each in options]}
    await _complete(home_assistant, _SUBENTRY_FLOW, step, {"array": values})


async def _begin_subentry(
    home_assistant: HomeAssistant, entry: Json, kind: str, **changed: str
) -> Json:
    """Begin a flow that adds or changes a subentry; return its first step."""
    await until_loaded(home_assistant, entry)
    handler = {"handler": [entry["entry_id"], kind], **changed}
    step: Json = await home_assistant.post(_SUBENTRY_FLOW, handler)
    return step


async def add_dashboard(home_assistant: HomeAssistant) -> None:
    """Add the integration's dashboard to the sidebar, unless it is there."""
    page = {"url_path": "enphase-cloud", "title": "Enphase", "icon": "mdi:solar-power"}
    known = await home_assistant.command("lovelace/dashboards/list")
    if any(each["url_path"] == page["url_path"] for each in known):
        return
    await home_assistant.command("lovelace/dashboards/create", **page)
    await home_assistant.command(
        "lovelace/config/save",
        url_path=page["url_path"],
        config={"strategy": {"type": "custom:enphase-cloud"}},
    )


async def until_loaded(home_assistant: HomeAssistant, entry: Json) -> None:
    """Wait until an entry is loaded; changes before may have caused a reload."""

    async def is_loaded() -> bool:
        entries = await entries_of_integration(home_assistant)
        states = {each["entry_id"]: each["state"] for each in entries}
        return bool(states[entry["entry_id"]] == "loaded")

    await until("the integration to load", is_loaded)


async def _sign_in(home_assistant: HomeAssistant, page: URL) -> None:
    """Fill in the cloud's sign-in page, approve, and return to Home Assistant."""
    login = {"email": OWNER, "password": DEMO_PASSWORD, "decision": "approve"}
    async with home_assistant.session.post(
        page.with_query(None), data={**page.query, **login}
    ) as response:
        if response.status != HTTPStatus.OK or not response.history:
            raise DemoError(f"The sign-in failed with status {response.status}.")


async def _complete(
    home_assistant: HomeAssistant, path: str, step: Json, inputs: Inputs
) -> None:
    """Fill in the forms of a flow, by their steps, until it saves its entry.

    A form without input is sent with its suggestions and defaults. Raises DemoError.
    """
    while step["type"] == "form":
        if step["errors"]:
            raise DemoError(f"The step {step['step_id']} shows {step['errors']}")
        values = inputs.get(step["step_id"], _suggested(step))
        step = await home_assistant.post(f"{path}/{step['flow_id']}", values)
    is_changed = step.get("reason") == "reconfigure_successful"
    if step["type"] != "create_entry" and not is_changed:
        raise DemoError(f"The flow ended with {step.get('reason', step['type'])}")


def _suggested(step: Json) -> Json:
    filled: Json = {}
    for field in step["data_schema"]:
        suggested = (field.get("description") or {}).get("suggested_value")
        value = field.get("default") if suggested is None else suggested
        if value is not None:
            filled[field["name"]] = value
    return filled
