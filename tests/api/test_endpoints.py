"""Every API operation is a row, and requests follow their rows."""

import json
import re
from typing import Any

import pytest

from custom_components.enphase_cloud.api import Access, Endpoint, EnphaseCloudClient
from custom_components.enphase_cloud.api.endpoints import (
    ENDPOINTS,
    MICRO_TELEMETRY,
    SET_STORM_GUARD,
    START_CHARGING,
    SUMMARY,
    SYSTEM,
)
from custom_components.enphase_cloud.api.models import StormGuard
from tests.simulator.specification import PATH, Specification

from .conftest import SYSTEM_ID, FakeCloud, reply


@pytest.mark.skipif(not PATH.exists(), reason="No specification here")
def test_each_operation_has_a_row() -> None:
    """With its method, path and access control."""
    documented = {
        (row.method, row.path.removeprefix("/")): row.access
        for row in Specification().responses()
    }
    rows = {(row.method, row.path): row.access.value for row in ENDPOINTS}
    assert rows == documented


@pytest.mark.skipif(not PATH.exists(), reason="No specification here")
def test_each_row_sends_documented_parameters() -> None:
    """Its values are among those that the specification names, its pages as long."""
    specification = Specification()
    for row in ENDPOINTS:
        path = f"/{row.path}" if row.path else ""
        known = specification.parameters(row.method, path)
        for name, value in row.query.items():
            assert known[name]["in"] == "query"
            assert value in known[name].get("enum", [value])
        if row.page_size is not None:
            assert {"page", "size"} <= known.keys()
            limit = re.search(r"Max(?:=|imum is )(\d+)", known["size"]["description"])
            assert limit is not None
            assert row.page_size == int(limit[1])
        if row.body is not None:
            schema = known["params"]["schema"]
            assert set(schema["required"]) <= row.body.keys()
            assert row.body.keys() <= schema["properties"].keys()


def test_names_are_unique() -> None:
    assert len({row.name for row in ENDPOINTS}) == len(ENDPOINTS) == 51


async def test_without_a_model_the_document_is_returned(
    client: EnphaseCloudClient, cloud: FakeCloud
) -> None:
    """It may be a list."""
    cloud.script(reply([{"intervals": []}]))
    endpoint = Endpoint[Any]("acbs", "{system_id}/acbs", Access.DEVICES)
    document = await client.get(endpoint, system_id=SYSTEM_ID)
    assert document == [{"intervals": []}]
    assert cloud.requests[0].path == f"/api/v4/systems/{SYSTEM_ID}/acbs"


async def test_the_path_has_ids_and_serial_numbers(
    client: EnphaseCloudClient, cloud: FakeCloud
) -> None:
    cloud.script(reply({"system_id": SYSTEM_ID, "serial_number": "1219AB-7"}))
    await client.get(MICRO_TELEMETRY, system_id=SYSTEM_ID, serial_no="1219AB-7")
    assert cloud.requests[0].path == (
        f"/api/v4/systems/{SYSTEM_ID}/devices/micros/1219AB-7/telemetry"
    )


@pytest.mark.parametrize("odd", ["", "..", "../7", "7/summary", "7?page=2", "7#", "é"])
def test_a_parameter_cannot_change_the_path(odd: str) -> None:
    for row in (SUMMARY, SYSTEM):
        with pytest.raises(ValueError, match="only letters, digits"):
            row.path_of(system_id=odd)


@pytest.mark.parametrize(
    ("write", "method", "path", "body", "read"),
    [
        (
            SET_STORM_GUARD,
            "PUT",
            "config/7/storm_guard",
            {"storm_guard_status": "enabled"},
            StormGuard(),
        ),
        (
            START_CHARGING,
            "POST",
            "7/ev_charger/9/start_charging",
            {"connectorId": "1"},
            {"message": "ok", "system_id": 7},
        ),
    ],
)
async def test_writing_sends_the_body_once(
    client: EnphaseCloudClient,
    cloud: FakeCloud,
    journal: list[str],
    write: Endpoint[Any],
    method: str,
    path: str,
    body: dict[str, str],
    read: object,
) -> None:
    cloud.script(reply({"message": "ok", "system_id": 7}, status=202))
    send = client.put if method == "PUT" else client.post
    parameters = {"serial_no": 9} if "{serial_no}" in write.path else {}
    assert await send(write, body, system_id=7, **parameters) == read
    (request,) = cloud.requests
    assert (request.method, request.path) == (method, f"/api/v4/systems/{path}")
    assert list(map(json.loads, cloud.bodies)) == [body]
    assert journal == ["token", f"enter {write.name}", "request", "leave"]
