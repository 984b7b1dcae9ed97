"""Tools for AI assistants; they read local values and make no API call."""

from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final, override

from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.components.homeassistant.exposed_entities import async_should_expose
from homeassistant.components.llm import LLMTools
from homeassistant.components.recorder.statistics import StatisticsRow
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er, llm
from homeassistant.util import dt as dt_util
import voluptuous as vol

from .alarm_texts import alarm_details, problem_panels
from .const import DOMAIN
from .coordinator.recorded import async_recorded_hours, statistic_id
from .data import EnphaseCloudConfigEntry, EnphaseCloudData, EnphaseSystem
from .documents.readings import energy_today
from .energy.periods import (
    Hour,
    Period,
    Resolution,
    check_size,
    days_between,
    days_of,
    kwh,
    period_values,
)
from .energy.recorded import EXPORT_COMPENSATION, IMPORT_COST
from .gateway import is_reporting, reported_at
from .measurements.catalog import Flow, Measurement
from .measurements.system import SYSTEM
from .sensor_tables import ACCOUNT, SYSTEM_FIGURES, FigureSensorDescription

type Known = Sequence[tuple[EnphaseCloudData, Sequence[EnphaseSystem]]]
"""What an assistant may know of: accounts, each with some of its systems."""

# Home Assistant's API for administrators, since 2026.11; it is not limited to exposed
# entities.
_API_ADMIN: Final = "homeassistant"
_API_NAMES: Final = (llm.LLM_API_ASSIST, _API_ADMIN)

_STATES: Final = {
    "status": Measurement.SYSTEM_STATUS,
    "grid_status": Measurement.GRID_STATUS,
    "battery_level_percent": Measurement.BATTERY_LEVEL,
    "battery_mode": Measurement.BATTERY_MODE,
    "panels": Measurement.MODULES,
    "panels_reporting": Measurement.PANELS_REPORTING,
    "panels_with_problem": Measurement.PANEL_PROBLEMS,
    "open_alarms": Measurement.OPEN_ALARMS,
}
_MONEY: Final = {
    Flow.GRID_IMPORT: IMPORT_COST,
    Flow.GRID_EXPORT: EXPORT_COMPENSATION,
}
_CALLS: Final = ("calls_used", "calls_left", "calls_renewed", "live_streams_left")
_UPDATES: Final = ("next_update", "next_energy_update")
_SYSTEM: Final = {
    vol.Optional("system", description="Name of a system; all without it"): str
}
# Both exist since Home Assistant 2026.10.
_annotations: Any = getattr(llm, "ToolAnnotations", dict)
_result: Any = getattr(llm, "ToolResult", lambda data: data)


class EnphaseCloudTool(llm.Tool):
    """A tool that reads the systems that an assistant may see."""

    integration = DOMAIN
    annotations = _annotations(
        read_only=True, destructive=False, idempotent=True, open_world=False
    )

    def __init__(self, api_id: str) -> None:
        """Initialize the tool for an LLM API of Home Assistant."""
        self._api_id = api_id

    @override
    async def async_call(
        self,
        hass: HomeAssistant,
        tool_input: llm.ToolInput,
        llm_context: llm.LLMContext,
    ) -> Any:
        """Return the result; raises vol.Invalid for unsupported arguments."""
        args = self.parameters(tool_input.tool_args)
        may_read = await _async_may_read(hass, llm_context)
        known = _known(hass, llm_context, self._api_id, may_read)
        if name := args.get("system", "").casefold():
            known = [
                (data, [each for each in some if each.info.name.casefold() == name])
                for data, some in known
            ]
        if not any(systems for _, systems in known):
            raise vol.Invalid("There is no such system")
        return _result(data=await self._async_result(hass, known, args))

    @abstractmethod
    async def _async_result(
        self, hass: HomeAssistant, known: Known, args: dict[str, Any]
    ) -> dict[str, Any]: ...


class GetEnergyTool(EnphaseCloudTool):
    """Return the energy of a period."""

    name = f"{DOMAIN}__get_energy"
    title = "Get energy"
    description = (
        "Energy of Enphase solar systems in kWh, by flow, and its cost; today if no "
        "period is given. Recorded hours lag behind: see recorded_until."
    )
    parameters = vol.Schema(
        {
            vol.Optional("period"): vol.In([*map(str, Period)]),
            vol.Optional("from", description="YYYY-MM-DD, instead of period"): str,
            vol.Optional("to", description="Last day"): str,
            vol.Optional("flow"): vol.In([*map(str, Flow)]),
            vol.Optional("resolution"): vol.In([*map(str, Resolution)]),
            **_SYSTEM,
        }
    )

    @override
    async def _async_result(
        self, hass: HomeAssistant, known: Known, args: dict[str, Any]
    ) -> dict[str, Any]:
        systems = [system for _, some in known for system in some]
        flows = [Flow(args["flow"])] if "flow" in args else list(Flow)
        keys = [*flows, *(_MONEY[flow] for flow in flows if flow in _MONEY)]
        parts = Resolution(args["resolution"]) if "resolution" in args else None
        try:
            spans = [_days(args, system) for system in systems]
            check_size(spans, parts or Resolution.MONTH, len(keys))
        except ValueError as err:
            raise vol.Invalid(str(err)) from None
        result = []
        for system, days in zip(systems, spans, strict=True):
            hours = await _async_hours(hass, system, days, keys)
            result.append(
                {"system": system.info.name, "from": str(days[0]), "to": str(days[1])}
                | await hass.async_add_executor_job(
                    period_values, hours, system.info.time_zone, parts
                )
                | (_produced_today(system) if days[1] == _today(system) else {})
            )
        return {"unit": "kWh", "currency": hass.config.currency, "systems": result}


class GetHealthTool(EnphaseCloudTool):
    """Return the health of systems."""

    name = f"{DOMAIN}__get_health"
    title = "Get health"
    description = (
        "Health of Enphase solar systems: status, gateway, battery, weak and dead "
        "panels, open alarms with advice."
    )
    parameters = vol.Schema(_SYSTEM)

    @override
    async def _async_result(
        self, hass: HomeAssistant, known: Known, args: dict[str, Any]
    ) -> dict[str, Any]:
        result = [_health(hass, data, each) for data, some in known for each in some]
        return {"systems": result}


class GetBudgetTool(EnphaseCloudTool):
    """Return the remaining API calls; accounts with the same key share them."""

    name = f"{DOMAIN}__get_budget"
    title = "Get budget"
    description = "Enphase API calls used and left, and when data is updated next."

    @override
    async def _async_result(
        self, hass: HomeAssistant, known: Known, args: dict[str, Any]
    ) -> dict[str, Any]:
        keys: dict[int, dict[str, Any]] = {}
        for data, systems in known:
            result = keys.setdefault(id(data.budget), {"systems": []})
            result |= _figures(ACCOUNT, _CALLS, data)
            result["systems"] += [
                {"system": system.info.name}
                | _figures(SYSTEM_FIGURES, _UPDATES, system)
                for system in systems
            ]
        return {"api_keys": list(keys.values())}


def _days(args: dict[str, Any], system: EnphaseSystem) -> tuple[date, date]:
    if "from" in args or "to" in args:
        return days_between(args.get("from"), args.get("to"), _today(system))
    return days_of(Period(args.get("period", Period.TODAY)), _today(system))


def _today(system: EnphaseSystem) -> date:
    return dt_util.utcnow().astimezone(system.info.time_zone).date()


async def _async_hours(
    hass: HomeAssistant,
    system: EnphaseSystem,
    days: tuple[date, date],
    keys: Collection[str],
) -> dict[str, Iterable[Hour]]:
    """Return the recorded hours of statistics; none without a recorder."""
    if system.energy is None:
        return {}
    ids = {key: statistic_id(system.info.system_id, key) for key in keys}
    first, end = days[0], days[1] + timedelta(days=1)
    start, end_at = (
        datetime.combine(day, time(), system.info.time_zone) for day in (first, end)
    )
    found = await async_recorded_hours(hass, ids.values(), start, end_at)
    # A year has many rows: convert them outside of the event loop.
    return {key: map(_hour, found[statistic]) for key, statistic in ids.items()}


def _hour(row: StatisticsRow) -> Hour:
    start, is_of_day = dt_util.utc_from_timestamp(row["start"]), row.get("last_reset")
    return start, row.get("change") or 0.0, is_of_day is not None


def _produced_today(system: EnphaseSystem) -> dict[str, float]:
    """Return today's energy from polls, which is fresher than statistics."""
    now, zone = dt_util.utcnow(), system.info.time_zone
    known, today = system.board.newest(), Measurement.ENERGY_PRODUCED_TODAY
    energy = energy_today(known, today, now=now, time_zone=zone)
    return {} if energy is None else {"production_today_by_now": kwh(energy)}


def _health(
    hass: HomeAssistant, data: EnphaseCloudData, system: EnphaseSystem
) -> dict[str, Any]:
    values = {name: system.fresh(each) for name, each in _STATES.items()}
    known, now = system.board.newest(), dt_util.utcnow()
    ages = {
        name: round((now - known[measurement].observed_at) / timedelta(minutes=1))
        for name, measurement in _STATES.items()
        if values[name] is not None
    }
    return _known_only(
        {
            "system": system.info.name,
            "visible_to_account": system.store.is_visible,
            "gateway_reporting": is_reporting(data, system),
            "gateway_reported_at": _local(reported_at(system)),
            **values,
            "minutes_old": ages,
            "problem_panels": problem_panels(hass, system),
            **({} if values["open_alarms"] is None else alarm_details(data, system)),
        }
    )


def _figures[OwnerT](
    table: Sequence[FigureSensorDescription[OwnerT]],
    keys: Collection[str],
    owner: OwnerT,
) -> dict[str, Any]:
    now = dt_util.utcnow()
    return _known_only(
        {e.key: _local(e.value_fn(owner, now)) for e in table if e.key in keys}
    )


_TOOLS: Final = (GetEnergyTool, GetHealthTool, GetBudgetTool)


@callback
def async_get_tools(
    hass: HomeAssistant, llm_context: llm.LLMContext, api_id: str
) -> LLMTools | None:
    """Return the tools, if the assistant may see at least one system."""
    if api_id not in _API_NAMES or not _known(hass, llm_context, api_id):
        return None
    return LLMTools(tools=[each(api_id) for each in _TOOLS])


def _known(
    hass: HomeAssistant,
    llm_context: llm.LLMContext,
    api_id: str,
    may_read: Callable[[str], bool] = bool,
) -> Known:
    """Return the systems that an assistant and its user may see.

    The Assist API sees a system if any entity of its device is exposed. The user needs
    the permission to read all relevant entities.
    """
    registry, assistant = er.async_get(hass), llm_context.assistant

    def is_seen(system: EnphaseSystem) -> bool:
        device_id = system.device_ids.get(SYSTEM, "")
        entities = [
            each.entity_id
            for each in er.async_entries_for_device(registry, device_id)
            if api_id == _API_ADMIN
            or async_should_expose(hass, assistant, each.entity_id)
        ]
        return bool(entities) and all(map(may_read, entities))

    entries: list[EnphaseCloudConfigEntry]
    entries = hass.config_entries.async_loaded_entries(DOMAIN)
    seen = [
        (entry.runtime_data, list(filter(is_seen, entry.runtime_data.systems)))
        for entry in entries
    ]
    return [(data, systems) for data, systems in seen if systems]


async def _async_may_read(
    hass: HomeAssistant, llm_context: llm.LLMContext
) -> Callable[[str], bool]:
    """Return whether the user may read an entity; without a user, each is readable."""
    context = llm_context.context
    if context is None or context.user_id is None:
        return bool
    if (user := await hass.auth.async_get_user(context.user_id)) is None:
        return lambda _entity_id: False
    check = user.permissions.check_entity
    return lambda entity_id: check(entity_id, POLICY_READ)


def _known_only(result: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if value not in (None, {})}


def _local(value: object) -> object:
    """Return a moment as a local time, and anything else as it is."""
    if isinstance(value, datetime):
        return dt_util.as_local(value).isoformat(timespec="minutes")
    return value
