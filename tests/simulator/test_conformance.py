"""Checks responses of the simulator with the official specification."""

from collections.abc import Iterable
import json
import re
from typing import Any

import pytest

from simulator import Address, Charger, Fault, Load, Settings, System
from simulator.documents.devices import encharge_serial
from simulator.operations import OPERATIONS, Operation, find

from .conftest import World
from .specification import PATH, Documented, Specification, problems

pytestmark = pytest.mark.skipif(not PATH.exists(), reason="No specification here")

SIMULATED = {operation.name for operation in OPERATIONS if operation.is_simulated}

_LIST = {r"\w+: list is no object": "The example has a list"}
_BOOLEAN = {r"owner_can_override: bool is no string": "The example has booleans"}
_INTERVALS = {
    r"(start|end)_at: int is no string": "The example has integers",
    r"intervals\[\]: dict is no array": "The example has a list",
}
CONTRADICTIONS = {
    "alarms": _LIST,
    "devices": {
        r"\.active: bool is no string": "The example has booleans",
        r"(ev_chargers|heat_pump|iq_air)\[\]\.id: str": "The example has empty ids",
        r": in the example only": "Some kinds of devices have fields of their own",
    },
    "ev_charger_devices": {
        r"ev_chargers\[\]\.last_report_at: in the example": "The schema forgets it",
    },
    "ev_charger_lifetime": {
        r"consumption: list is no object": "The example has a list",
    },
    "energy_import_telemetry": {
        r"wh_imported: in the example only": "The schema was copied from export",
    },
    "energy_lifetime": {
        r"meter_start_date: str is no integer": "The example has a date",
        r"(micro|meter)_production: in the example only": "With production=all",
    },
    "event_types": {
        **_LIST,
        r"event_type_key: str is no integer": "The example has a word",
    },
    "events": _LIST,
    "evse_telemetry": _INTERVALS,
    "hp_telemetry": _INTERVALS,
    "inverters_summary": {
        r"power_produced: int is no object": "The example has both",
    },
    "load_control": _BOOLEAN,
    "open_alarms": _LIST,
    "open_events": _LIST,
    "search": {r"reference.*: unknown": "The schema forgets what /systems has"},
    "set_load_control": _BOOLEAN,
    "summary": {
        r"evse_power\[\]\.\d+: unknown": "The keys are serial numbers",
        r"nmi: str is no integer": "The example has text",
    },
    "system": {
        r"interconnect_date: str is no integer": "Recorded responses have integers",
    },
}
"""The contradictions between examples and schemas of the specification."""

LIBERTIES = {
    "devices": {
        r"^devices\.\w+: missing": "Only kinds that are there are shown",
        r"cellular_modem: missing": "Only on cellular",
        r"(feoc|dom)_compliant: missing": "Only in the United States",
    },
    "energy_lifetime": {
        r"meter_start_date: missing": "Not present unless the system has a meter",
    },
    "ev_charger_telemetry": {
        r"(start|end)_date: missing": "The text has them for a start_date only",
    },
    "latest_telemetry": {r"^devices\.\S+: missing": "Only kinds that are there"},
    "live_data": {
        r"battery_\w+: missing": "Only with a battery",
    },
    "rgm_stats": {
        r"(wh_del|curr_w): null": "Recorded so, of channels without a phase",
    },
    "summary": {
        r"evse_power: missing": "No chargers are simulated",
        r"nmi: null": "Recorded so; the number exists in Australia only",
    },
    "system": {
        r"interconnect_date: null": "Recorded so",
        r"reference\w*: missing": "Not returned unless a company gave one",
    },
    "telemetry_battery": {
        r"last_reported_aggregate_soc: null": "There is no battery",
    },
}
"""The differences between simulator and examples, with reasons."""


@pytest.fixture(scope="module")
def responses() -> list[Documented]:
    """Return all documented responses."""
    return list(Specification().responses())


def operation_of(response: Documented) -> Operation:
    """Return the simulator's operation of a documented response."""
    (operation,) = (
        operation
        for operation, _ in find(response.path)
        if operation.method == response.method
    )
    return operation


_OK = {200, 202}


def simulated(
    responses: Iterable[Documented], *, ok: bool
) -> list[tuple[str, Documented]]:
    """Return the responses of simulated operations: of status 200, or errors."""
    named = [(operation_of(response).name, response) for response in responses]
    return [
        (name, response)
        for name, response in named
        if name in SIMULATED and (response.status in _OK) is ok
    ]


def excused(name: str, problem: str, *tables: dict[str, dict[str, str]]) -> bool:
    """Return whether one of the tables lists a problem."""
    return any(
        re.search(pattern, problem)
        for table in tables
        for pattern in table.get(name, {})
    )


def test_every_documented_operation_exists(
    responses: list[Documented],
) -> None:
    """With its path, method and access control."""
    for response in responses:
        assert str(operation_of(response).access) == response.access
    documented = {operation_of(response).name for response in responses}
    assert documented == {operation.name for operation in OPERATIONS}


def test_all_contradictions_of_the_specification_are_listed(
    responses: list[Documented],
) -> None:
    """The table lists all contradictions of the specification, and nothing else."""
    used = set()
    for name, response in simulated(responses, ok=True):
        for problem in problems(response.example, response.schema, response.example):
            assert excused(name, problem, CONTRADICTIONS), (name, problem)
            used |= {
                (name, pattern)
                for pattern in CONTRADICTIONS[name]
                if re.search(pattern, problem)
            }
    listed = {
        (name, pattern) for name, table in CONTRADICTIONS.items() for pattern in table
    }
    assert used == listed


def worlds(world: World) -> list[System]:
    """Add systems that differ as much as possible."""
    return [
        world.add_system(),
        world.add_system(
            battery=None, meters=[], address=Address(state="NSW", country="AU")
        ),
        world.add_system(battery=None),
        farm(world),
    ]


def farm(world: World) -> System:
    """Add a system with all kinds of devices, and an alarm."""
    system = world.add_system(
        battery=3, generator_w=9_000, phases=3, connection="cellular"
    )
    system.relays = system.ac_batteries = system.collars = system.iq_airs = 2
    system.install_heat_pump()
    system.install_ev_charger(Charger(serial="380017", habit=1, returns_w=3_000))
    system.settings = Settings(loads=(Load(name="NC1", load_name="Pump"),))
    system.install_charger(Charger(serial="202620010308", habit=1))
    system.open_alarm("micro_silent", world.clock())
    return system


@pytest.mark.usefixtures("without_waiting")
async def test_documents_conform(world: World, responses: list[Documented]) -> None:
    """Every document has the documented status and fields, and these their types."""
    partner = world.cloud.add_application(
        client_id="partner", client_secret="secret", api_key="partner", plan="partner"
    )
    world.headers = world.sign_in(partner)
    seen, taken = set(), set()
    for system in worlds(world):
        for name, response in simulated(responses, ok=True):
            world.clock.advance(minutes=1)
            for document in await documents(world, name, response, system):
                seen.add(name)
                for problem in problems(document, response.schema, response.example):
                    tables = CONTRADICTIONS, LIBERTIES
                    assert excused(name, problem, *tables), (name, problem)
                    taken |= {
                        (name, pattern)
                        for pattern in LIBERTIES.get(name, {})
                        if re.search(pattern, problem)
                    }
    assert seen == SIMULATED
    listed = {(name, pattern) for name, table in LIBERTIES.items() for pattern in table}
    assert taken == listed


OF_BATTERIES = {
    "battery_settings",
    "set_battery_settings",
    "set_storm_guard",
    "storm_guard",
}
BODIES: dict[str, object] = {
    "search": {"system": {}},
    "set_battery_settings": {"battery_mode": "Savings Mode", "reserve_soc": 30},
    "set_load_control": {"name": "NC1", "mode": "Basic"},
    "set_storm_guard": {"storm_guard_status": "enabled"},
}


async def documents(
    world: World, name: str, response: Documented, system: System
) -> list[Any]:
    """Request a document, or frames of a stream with the wrapper of examples."""
    start = int(world.clock().timestamp()) - 3_600
    query: dict[str, dict[str, object]] = {
        "alarms": {"start_time": start},
        "energy_lifetime": {"production": "all"},
        "ev_charger_lifetime": {"start_date": "20260601"},
        "events": {"start_time": start},
        "inverters_summary": {"site_id": system.system_id},
        "retrieve_system_id": {"serial_num": system.gateway_serial},
        "search": {"live_stream": "true"},
    }
    serial = serial_for(response.path, system)
    if "{serial_no}" in response.path and not serial:
        return []
    if name in OF_BATTERIES and system.plant.storage is None:
        return []
    if name == "set_load_control" and not system.settings.loads:
        return []
    if name == "live_data" and not system.meters:
        return []
    received = await world.request(
        response.path.format(system_id=system.system_id, serial_no=serial),
        method=response.method,
        body=BODIES.get(name),
        **query.get(name, {}),
    )
    assert received.status == response.status
    if name != "live_data":
        return [await received.json(content_type=None)]
    lines = (await received.text()).splitlines()
    return [{"data": json.loads(line[6:])} for line in lines if line[:6] == "data: "]


def serial_for(path: str, system: System) -> str:
    """Return the serial number of a device for a path."""
    kinds: dict[str, list[str]] = {
        "/micros/": [each.serial for each in system.microinverters],
        "/encharges/": [encharge_serial(system, 1)] if system.plant.storage else [],
        "/evse_": [each.serial for each in system.ev_chargers],
        "/ev_charger/": [each.serial for each in system.iq_chargers],
    }
    found = next((kinds[kind] for kind in kinds if kind in path), [])
    return next(iter(found), "")


async def test_refusals_conform(world: World, responses: list[Documented]) -> None:
    """Every documented refusal, caused by a fault, has the documented body."""
    system = world.add_system()
    for name, response in simulated(responses, ok=False):
        world.clock.advance(minutes=1)
        world.cloud.quota_details = "period" in response.example
        quota = response.status == 429
        world.cloud.faults.add(
            Fault(
                operation=name,
                times=1,
                quota="minute" if quota else None,
                status=None if quota else response.status,
            )
        )
        status, body = await world.refusal(
            response.path.format(system_id=system.system_id, serial_no="1"),
            method=response.method,
        )
        assert status == response.status
        assert list(problems(body, response.schema, response.example)) == []
        texts = {"message", "reason", "type"}
        if name != "live_data":
            expected = {key: response.example.get(key) for key in texts}
            assert {key: body.get(key) for key in texts} == expected
        elif status != 401:
            assert body["type"] == response.example["type"]
            assert body["error"] == response.example["error"]


async def test_all_operations_need_a_token(
    world: World, responses: list[Documented]
) -> None:
    """Every operation refuses an invalid token with the documented text."""
    for response in responses:
        if response.status != 401 or response.path.endswith("live_data"):
            continue
        world.clock.advance(minutes=1)
        path = re.sub(r"\{\w+\}", "1", response.path)
        headers = {"key": "key", "Authorization": "Bearer x"}
        status, body = await world.refusal(
            path, method=response.method, headers=headers
        )
        assert (status, body) == (401, response.example)
