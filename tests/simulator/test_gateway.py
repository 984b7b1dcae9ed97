"""The API gateway: keys, tokens, plans, quotas and texts of refusals."""

from datetime import UTC, datetime
from typing import Any

import pytest

from simulator import AccessControl, System, operations
from simulator.operations import Operation

from .conftest import World

NOT_AUTHORIZED = {
    "message": "Not Authorized",
    "details": "User is not authorized",
    "code": 401,
}


def without(headers: dict[str, str], name: str) -> dict[str, str]:
    """Return headers without one of them."""
    return {key: value for key, value in headers.items() if key != name}


async def test_key_in_the_header_or_in_the_address(world: World) -> None:
    """Both are accepted; the header takes precedence."""
    await world.get("")
    headers = without(world.headers, "key")
    response = await world.request("", headers=headers, key="key")
    assert response.status == 200
    response = await world.request("", key="wrong")
    assert response.status == 200


async def test_missing_key(world: World) -> None:
    """Without a key the application is unknown, and the request does not count."""
    headers = without(world.headers, "key")
    status, body = await world.refusal("", headers=headers)
    assert status == 401
    assert body == NOT_AUTHORIZED | {"details": "API Key missing in url/headers!"}
    (request,) = world.cloud.requests
    assert (request.application, request.counted) == (None, False)


async def test_unknown_key(world: World) -> None:
    """An unknown key is refused with 401."""
    status, body = await world.refusal("", headers=world.headers | {"key": "guess"})
    assert (status, body) == (401, NOT_AUTHORIZED)


async def test_key_of_another_application(world: World) -> None:
    """Key and token have to be of one application."""
    world.cloud.add_application(
        client_id="other", client_secret="other", api_key="other"
    )
    status, body = await world.refusal("", headers=world.headers | {"key": "other"})
    assert status == 401
    assert body == NOT_AUTHORIZED | {"details": "API Key -Client mismatch"}


@pytest.mark.parametrize(
    "authorization", [None, "Basic eDp5", "Bearer", "Bearer nonsense", "Bearer a.b.c"]
)
async def test_bad_tokens(world: World, authorization: str | None) -> None:
    """Missing and invalid tokens are refused with the same text."""
    headers = without(world.headers, "Authorization")
    if authorization is not None:
        headers["Authorization"] = authorization
    status, body = await world.refusal("", headers=headers)
    assert (status, body) == (401, NOT_AUTHORIZED)


async def test_expired_token(world: World) -> None:
    """A token is valid for a day."""
    world.clock.advance(days=1)
    assert await world.refusal("") == (401, NOT_AUTHORIZED)


async def test_plan_without_access(world: World, system: System) -> None:
    """An operation that the plan lacks is refused like an invalid token."""
    watt = world.cloud.add_application(
        client_id="small", client_secret="small", api_key="small", plan="watt"
    )
    world.headers = world.sign_in(watt)
    await world.get(f"/{system.system_id}/latest_telemetry")
    path = f"/config/{system.system_id}/grid_status"
    assert await world.refusal(path) == (401, NOT_AUTHORIZED)
    status, body = await world.refusal(f"/{system.system_id}/live_data")
    assert status == 401
    assert body["type"] == "authentication_error"
    assert body["error"] == {
        "code": 401,
        "details": [{}],
        "message": "Application is not authorized to access the requested resource",
        "status": "UNAUTHORIZED",
    }


async def test_access_control_that_is_not_selected(
    world: World, system: System
) -> None:
    """An application may lack an access control of its plan."""
    narrow = world.cloud.add_application(
        client_id="narrow",
        client_secret="narrow",
        api_key="narrow",
        access=[AccessControl.SYSTEM_DETAILS],
    )
    world.headers = world.sign_in(narrow)
    await world.get(f"/{system.system_id}/summary")
    path = f"/{system.system_id}/telemetry/battery"
    assert await world.refusal(path) == (401, NOT_AUTHORIZED)


async def test_systems_of_other_accounts(world: World, system: System) -> None:
    """They are refused with 403, and not listed."""
    stranger = world.cloud.add_account(email="stranger@example.com", password="x")
    world.headers = world.sign_in(owner=stranger)
    status, body = await world.refusal(f"/{system.system_id}")
    assert status == 403
    assert body == {
        "message": "Forbidden",
        "details": "Not authorized to access this resource",
        "code": 403,
    }
    assert (await world.get(""))["systems"] == []


async def test_unknown_systems(world: World) -> None:
    """They are refused with 404; meter readings have another text."""
    status, body = await world.refusal("/77")
    assert status == 404
    assert body == {
        "message": "Not Found",
        "details": 'System not found for {:id=>"77"}',
        "code": 404,
    }
    status, body = await world.refusal("/seven/summary")
    assert (status, body["details"]) == (404, 'System not found for {:id=>"seven"}')
    status, body = await world.refusal("/77/storage_meter_readings")
    assert (status, body["message"]) == (404, "Not Authorized")
    status, body = await world.refusal("/77/live_data")
    assert (status, body["error"]["status"]) == (468, "INVALID_SYSTEM_ID")


async def test_wrong_methods_and_paths(world: World, system: System) -> None:
    """A wrong method is refused with its own form of body."""
    status, body = await world.refusal(f"/{system.system_id}/summary", method="POST")
    assert (status, body) == (
        405,
        {"reason": "405", "message": ["Method not allowed"]},
    )
    status, body = await world.refusal(f"/{system.system_id}/nothing")
    assert (status, body["code"]) == (404, 404)
    status, body = await world.refusal(f"/{system.system_id}/live_data", method="PUT")
    assert (status, body["reason"]) == (405, "405")


async def test_operations_that_are_not_simulated(
    world: World, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All specified ones are; another one would be refused as not implemented."""
    assert len(operations.OPERATIONS) == 51
    assert all(each.is_simulated for each in operations.OPERATIONS)
    new = Operation("new", "/{system_id}/new", AccessControl.SYSTEM_DETAILS)
    monkeypatch.setattr(operations, "OPERATIONS", (new,))
    status, body = await world.refusal(f"/{system.system_id}/new")
    assert (status, body) == (501, {"reason": "501", "message": ["Not Implemented"]})


async def spend(world: World, calls: int) -> None:
    """Make successful calls."""
    for _ in range(calls):
        await world.get("")


async def test_minute_quota(world: World) -> None:
    """Calls above the limit of a calendar minute are refused."""
    await spend(world, 50)
    status, body = await world.refusal("")
    minute = int(world.clock().timestamp()) // 60 * 60
    assert status == 429
    assert body == {
        "message": "Too Many Requests",
        "details": "Usage limit exceeded for plan Kilowatt",
        "code": 429,
        "period": "minute",
        "period_start": minute,
        "period_end": minute + 60,
        "limit": 50,
    }
    world.clock.advance(seconds=60)
    await spend(world, 1)


@pytest.mark.parametrize(
    ("now", "start", "end"),
    [
        (
            datetime(2026, 6, 30, 23, 59, 10, tzinfo=UTC),
            datetime(2026, 6, 1, tzinfo=UTC),
            datetime(2026, 7, 1, tzinfo=UTC),
        ),
        (
            datetime(2026, 12, 31, 23, 59, 10, tzinfo=UTC),
            datetime(2026, 12, 1, tzinfo=UTC),
            datetime(2027, 1, 1, tzinfo=UTC),
        ),
    ],
)
async def test_month_quota(
    world: World, now: datetime, start: datetime, end: datetime
) -> None:
    """Calls above the limit of a calendar month in UTC are refused."""
    watt = world.cloud.add_application(
        client_id="small", client_secret="small", api_key="small", plan="watt"
    )
    world.clock.moment = now
    for _ in range(1_000):
        world.cloud.quota.count(watt, start)
    world.headers = world.sign_in(watt)
    status, body = await world.refusal("")
    assert status == 429
    assert body["period"] == "month"
    assert body["period_start"] == start.timestamp()
    assert body["period_end"] == end.timestamp()
    assert body["limit"] == 1_000
    world.clock.advance(seconds=50)
    await spend(world, 1)


async def test_quota_belongs_to_the_application(world: World, system: System) -> None:
    """All owners share it; other applications have their own."""
    other = world.cloud.add_application(
        client_id="other", client_secret="other", api_key="other", plan="kilowatt"
    )
    stranger = world.cloud.add_account(email="stranger@example.com", password="x")
    await spend(world, 30)
    mine, world.headers = world.headers, world.sign_in(owner=stranger)
    await spend(world, 20)
    assert (await world.refusal(""))[0] == 429
    world.headers = mine
    status, body = await world.refusal(f"/{system.system_id}/live_data")
    assert (status, body["type"]) == (429, "request_exceeded_error")
    world.headers = world.sign_in(other)
    await spend(world, 1)


async def test_quota_errors_without_details(world: World) -> None:
    """Some documented bodies lack the period."""
    world.cloud.quota_details = False
    await spend(world, 50)
    assert await world.refusal("") == (
        429,
        {
            "message": "Too Many Requests",
            "details": "Usage limit exceeded for plan Kilowatt",
            "code": 429,
        },
    )


@pytest.mark.parametrize(("free", "used"), [(False, 3), (True, 1)])
async def test_client_errors_may_count(world: World, *, free: bool, used: int) -> None:
    """It is not documented whether 4xx responses count, so both are supported."""
    world.cloud.count_client_errors = not free
    await world.get("")
    await world.refusal("/77")
    await world.refusal("", headers=world.headers | {"Authorization": "Bearer x"})
    quota, now = world.cloud.quota, world.clock()
    assert quota.used(world.application, "minute", now) == used
    assert quota.used(world.application, "month", now) == used
    assert sum(request.counted for request in world.cloud.requests) == used


async def test_refused_for_quota_does_not_count(world: World) -> None:
    """Refused calls do not extend the refusal."""
    await spend(world, 50)
    for _ in range(10):
        await world.refusal("")
    now = world.clock()
    assert world.cloud.quota.used(world.application, "month", now) == 50


async def test_everything_is_recorded(world: World, system: System) -> None:
    """With time, application, operation and status."""
    start = world.clock()
    await world.get(f"/{system.system_id}/summary")
    world.clock.advance(seconds=5)
    await world.refusal("/77/devices")
    await world.refusal("/search", method="POST")
    records: list[dict[str, Any]] = [
        {
            "at": request.at,
            "operation": request.operation,
            "system_id": request.system_id,
            "status": request.status,
        }
        for request in world.cloud.requests
    ]
    later = world.clock()
    assert records == [
        {
            "at": start,
            "operation": "summary",
            "system_id": system.system_id,
            "status": 200,
        },
        {"at": later, "operation": "devices", "system_id": 77, "status": 404},
        {"at": later, "operation": "search", "system_id": None, "status": 422},
    ]
    assert world.cloud.counts() == {"summary": 1, "devices": 1, "search": 1}
    assert world.cloud.counts("client") == world.cloud.counts()
    assert world.cloud.counts("other") == {}
