"""The table of all operations tells the truth, and is never out of date unseen."""

from http import HTTPStatus
from pathlib import Path
import re

from aiohttp.test_utils import TestClient, TestServer
import pytest

from custom_components.enphase_cloud.api import Access
from custom_components.enphase_cloud.api.endpoints import ENDPOINTS
from custom_components.enphase_cloud.quota.plans import PLANS
from scripts.documentation.operations import table
from scripts.documentation.pages import Page
from simulator import Cloud, create_app

MARKS = "<!-- Written by scripts/document, from the code. -->\n\n{}\n<!-- End -->\n"
HEADINGS = [
    *("Operation", "Method and path", "Call", "Model", "Used in"),
    *("Access control", "Smallest plan", "Simulated"),
]


@pytest.fixture(scope="module")
def rows() -> dict[str, dict[str, str]]:
    """Return the rows of the table by operation."""
    headings, _, *lines = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in table().splitlines()
    ]
    assert headings == HEADINGS
    return {line[0]: dict(zip(headings, line, strict=True)) for line in lines}


def test_each_operation_has_a_row(rows: dict[str, dict[str, str]]) -> None:
    assert list(rows) == [endpoint.name for endpoint in ENDPOINTS]
    assert len(rows) == 51


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("search_systems", "pages(SEARCH_SYSTEMS)"),
        ("summary", "get(SUMMARY, system_id=…)"),
        ("micros_telemetry", "pages(MICROS_TELEMETRY, system_id=…)"),
        ("set_storm_guard", "put(SET_STORM_GUARD, {…}, system_id=…)"),
        ("start_charging", "post(START_CHARGING, {…}, system_id=…, serial_no=…)"),
        ("live_data", "stream(system_id, duration=…)"),
    ],
)
def test_the_call_is_that_of_the_client(
    rows: dict[str, dict[str, str]], operation: str, call: str
) -> None:
    assert rows[operation]["Call"] == f"`{call}`"


@pytest.mark.parametrize(
    ("operation", "model"),
    [
        ("import_telemetry", "EnergyIntervals"),
        ("evse_lifetime", "DailyBatteryEnergy"),
        ("retrieve_system_id", "int"),
        ("live_data", "LiveFrame"),
    ],
)
def test_the_model_is_what_is_returned(
    rows: dict[str, dict[str, str]], operation: str, model: str
) -> None:
    assert rows[operation]["Model"] == f"`{model}`"


@pytest.mark.parametrize(
    ("operation", "modules"),
    [
        ("summary", ["documents/table.py"]),
        ("battery_telemetry", ["documents/table.py", "energy/flows.py"]),
        ("storage_meter_readings", ["actions/meters.py"]),
        ("live_data", ["coordinator/live_budget.py"]),
        ("retrieve_system_id", []),
    ],
)
def test_modules_that_use_it_are_named(
    rows: dict[str, dict[str, str]], operation: str, modules: list[str]
) -> None:
    used = rows[operation]["Used in"]
    assert re.findall(r"\[([^\]]+)\]", used) == modules
    assert ("(`summary`)" in used) is (operation == "summary")
    assert (used == "not used") is (not modules)


def test_the_smallest_plan_is_the_first_that_opens_it(
    rows: dict[str, dict[str, str]],
) -> None:
    """No smaller one does."""
    for row in rows.values():
        access = Access(row["Access control"])
        opened = [access in plan.access for plan in PLANS.values()]
        smallest = [*PLANS].index(row["Smallest plan"].lower())
        assert opened == [False] * smallest + [True] * (len(PLANS) - smallest)


async def test_what_is_simulated_is_answered(
    socket_enabled: None, rows: dict[str, dict[str, str]]
) -> None:
    """With something else than that there is no such thing."""
    cloud = Cloud()
    application = cloud.add_application(
        client_id="client", client_secret="secret", api_key="key", plan="partner"
    )
    owner = cloud.add_account(email="owner@example.com", password="secret")
    token = cloud.tokens_for(application, owner)["access_token"]
    headers = {"Authorization": f"Bearer {token}", "key": application.api_key}
    async with TestClient(TestServer(create_app(cloud))) as client:
        for row in rows.values():
            method, path = row["Method and path"].replace("`", "").split(" ")
            path = re.sub(r"\{\w+\}", "1", path.removeprefix("…"))
            answer = await client.request(
                method, f"/api/v4/systems{path}", headers=headers
            )
            is_answered = answer.status != HTTPStatus.NOT_IMPLEMENTED
            assert is_answered is (row["Simulated"] == "yes"), row["Operation"]


def test_a_page_knows_what_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("Before\n" + MARKS.format("| old |\n") + "After\n")
    page = Page(path, lambda: "| new |\n")
    assert page.changes() == ["- | old |", "+ | new |"]
    path.write_text(page.written())
    assert path.read_text() == "Before\n" + MARKS.format("| new |\n") + "After\n"
    assert not page.changes()


def test_a_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("| old |\n")
    with pytest.raises(ValueError, match=r"page\.md has no marks"):
        Page(path, lambda: "| new |\n").written()
