"""The requests of the client, and their order."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
import json
from typing import Any

from aiohttp import ClientSession, web
import pytest

from custom_components.enphase_cloud.api import (
    ApiError,
    EnphaseCloudClient,
    InvalidApiKeyError,
    MalformedResponseError,
    NotEntitledError,
    RequestWithheldError,
    ServerError,
    interval_query,
)
from custom_components.enphase_cloud.api.endpoints import (
    BATTERY_TELEMETRY,
    EV_CHARGERS,
    LATEST_TELEMETRY,
    LIVE_DATA,
    SEARCH_SYSTEMS,
    SUMMARY,
    SYSTEMS,
)

from .conftest import (
    API_KEY,
    RENEWED_TOKEN,
    SYSTEM_ID,
    TOKEN,
    FakeAuth,
    FakeCloud,
    FakeGate,
    refusal,
    reply,
)

type Call = Callable[[EnphaseCloudClient], Awaitable[object]]

START = datetime(2026, 6, 1, 12, tzinfo=UTC)


async def stream(client: EnphaseCloudClient) -> None:
    """Open a live stream and read it to its end."""
    async with client.stream(SYSTEM_ID, duration=30) as frames:
        async for _ in frames:
            pass


def page(ids: range, *, total: int | None = None) -> dict[str, Any]:
    """Return a page of systems."""
    systems = [{"system_id": number, "name": "Home"} for number in ids]
    return {"systems": systems} | ({} if total is None else {"total": total})


CALLS: list[tuple[Call, str, str, dict[str, str], object]] = [
    (
        lambda client: client.pages(SYSTEMS),
        "GET",
        "/api/v4/systems",
        {"page": "1", "size": "100", "sort_by": "id"},
        page(range(1, 3), total=2),
    ),
    (
        lambda client: client.pages(SEARCH_SYSTEMS),
        "POST",
        "/api/v4/systems/search",
        {"page": "1", "size": "1000", "live_stream": "true"},
        page(range(1, 3), total=2),
    ),
    (
        lambda client: client.get(SUMMARY, system_id=SYSTEM_ID),
        "GET",
        f"/api/v4/systems/{SYSTEM_ID}/summary",
        {},
        {"system_id": SYSTEM_ID},
    ),
    (
        lambda client: client.get(BATTERY_TELEMETRY, system_id=SYSTEM_ID),
        "GET",
        f"/api/v4/systems/{SYSTEM_ID}/telemetry/battery",
        {},
        {"system_id": SYSTEM_ID},
    ),
    (
        lambda client: client.get(
            BATTERY_TELEMETRY, query=interval_query(START), system_id=SYSTEM_ID
        ),
        "GET",
        f"/api/v4/systems/{SYSTEM_ID}/telemetry/battery",
        {"start_at": str(int(START.timestamp()))},
        {"system_id": SYSTEM_ID},
    ),
    (
        lambda client: client.get(LATEST_TELEMETRY, system_id=SYSTEM_ID),
        "GET",
        f"/api/v4/systems/{SYSTEM_ID}/latest_telemetry",
        {},
        {"system_id": SYSTEM_ID},
    ),
    (
        stream,
        "GET",
        f"/api/v4/systems/{SYSTEM_ID}/live_data",
        {},
        {"timestamp_epoch": int(START.timestamp()), "data": {"pv_power": 1}},
    ),
]
OPERATIONS = [
    SYSTEMS.name,
    SEARCH_SYSTEMS.name,
    SUMMARY.name,
    BATTERY_TELEMETRY.name,
    BATTERY_TELEMETRY.name,
    LATEST_TELEMETRY.name,
    LIVE_DATA.name,
]


@pytest.mark.parametrize(("call", "method", "path", "query", "document"), CALLS)
async def test_requests_are_as_specified(
    client: EnphaseCloudClient,
    cloud: FakeCloud,
    call: Call,
    method: str,
    path: str,
    query: dict[str, str],
    document: object,
) -> None:
    cloud.script(reply(document))
    await call(client)
    (request,) = cloud.requests
    assert (request.method, request.path, dict(request.query)) == (method, path, query)
    assert request.headers["key"] == API_KEY
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert API_KEY not in request.path_qs
    assert TOKEN not in request.path_qs


async def test_the_search_has_the_mandatory_system(
    client: EnphaseCloudClient, cloud: FakeCloud
) -> None:
    cloud.script(reply(page(range(0))))
    await client.pages(SEARCH_SYSTEMS)
    assert json.loads(cloud.bodies[0])["system"]


async def test_json_is_preferred_and_other_types_are_accepted(
    client: EnphaseCloudClient, cloud: FakeCloud
) -> None:
    """Operations of chargers are documented to respond with bytes."""
    cloud.script(
        reply({"system_id": SYSTEM_ID}, content_type="application/octet-stream")
    )
    await client.get(EV_CHARGERS, system_id=SYSTEM_ID)
    accepted = cloud.requests[0].headers["Accept"].split(", ")
    assert accepted == ["application/json", "*/*;q=0.5"]


async def test_a_stream_has_its_duration_in_a_header(
    client: EnphaseCloudClient, cloud: FakeCloud
) -> None:
    cloud.script(reply(body=b"", content_type="text/event-stream"))
    async with client.stream(SYSTEM_ID, duration=123):
        pass
    headers = cloud.requests[0].headers
    assert headers["duration"] == "123"
    assert headers["Accept"] == "text/event-stream"
    assert headers["Accept-Encoding"] == "identity"


class TestGate:
    """Each request is counted, once, before it is sent."""

    @pytest.mark.parametrize(
        ("call", "document", "operation"),
        [
            (call[0], call[4], operation)
            for call, operation in zip(CALLS, OPERATIONS, strict=True)
        ],
    )
    async def test_the_token_is_requested_before_the_gate_counts(
        self,
        client: EnphaseCloudClient,
        cloud: FakeCloud,
        gate: FakeGate,
        journal: list[str],
        call: Call,
        document: object,
        operation: str,
    ) -> None:
        cloud.script(reply(document))
        await call(client)
        assert journal == ["token", f"enter {operation}", "request", "leave"]
        assert gate.outcomes == [None]

    async def test_no_request_is_sent_if_the_gate_refuses(
        self, client: EnphaseCloudClient, cloud: FakeCloud, gate: FakeGate
    ) -> None:
        gate.refuse_with = RequestWithheldError(until=START, reason="month")
        for call, *_ in CALLS:
            with pytest.raises(RequestWithheldError) as raised:
                await call(client)
            assert raised.value.until == START
        assert cloud.requests == []

    async def test_the_gate_counts_every_page_and_every_repetition(
        self, client: EnphaseCloudClient, cloud: FakeCloud, journal: list[str]
    ) -> None:
        cloud.script(
            reply(page(range(1, 101), total=101)),
            refusal(),
            reply(page(range(101, 102), total=101)),
        )
        assert len(await client.pages(SYSTEMS)) == 101
        attempt = ["enter systems", "request", "leave"]
        first, second = ["token", *attempt], ["token", *attempt, "renewal", *attempt]
        assert journal == first + second

    @pytest.mark.parametrize("status", [400, 403, 404, 422, 429, 500, 503])
    async def test_errors_reach_the_gate_and_are_not_repeated(
        self, client: EnphaseCloudClient, cloud: FakeCloud, gate: FakeGate, status: int
    ) -> None:
        cloud.script(refusal(status))
        with pytest.raises(ApiError) as raised:
            await client.get(SUMMARY, system_id=SYSTEM_ID)
        assert gate.outcomes == [raised.value]
        assert len(cloud.requests) == 1

    async def test_a_cancellation_reaches_the_gate(
        self, client: EnphaseCloudClient, cloud: FakeCloud, gate: FakeGate
    ) -> None:
        arrived, silence = asyncio.Event(), asyncio.Event()

        async def hang(request: web.Request) -> web.StreamResponse:
            arrived.set()
            await silence.wait()
            return web.Response()

        cloud.script(hang)
        task = asyncio.create_task(client.get(SUMMARY, system_id=SYSTEM_ID))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [type(outcome) for outcome in gate.outcomes] == [asyncio.CancelledError]
        silence.set()


class TestUnauthorized:
    """401 may be caused by the token, the key or the access controls."""

    @pytest.mark.parametrize(("call", "document"), [(c[0], c[4]) for c in CALLS])
    async def test_a_refused_token_is_renewed(
        self,
        client: EnphaseCloudClient,
        cloud: FakeCloud,
        call: Call,
        document: object,
    ) -> None:
        cloud.script(refusal(), reply(document))
        await call(client)
        tokens = [request.headers["Authorization"] for request in cloud.requests]
        assert tokens == [f"Bearer {TOKEN}", f"Bearer {RENEWED_TOKEN}"]

    async def test_refusal_of_a_new_token_means_not_entitled(
        self, client: EnphaseCloudClient, cloud: FakeCloud
    ) -> None:
        cloud.script(refusal(), refusal())
        with pytest.raises(NotEntitledError) as raised:
            await client.get(SUMMARY, system_id=SYSTEM_ID)
        assert raised.value.operation == SUMMARY.name
        assert raised.value.status == 401
        assert len(cloud.requests) == 2

    async def test_refusal_without_a_new_token_means_not_entitled(
        self, client: EnphaseCloudClient, cloud: FakeCloud, auth: FakeAuth
    ) -> None:
        auth.renewed = TOKEN
        cloud.script(refusal())
        with pytest.raises(NotEntitledError):
            await client.get(SUMMARY, system_id=SYSTEM_ID)
        assert len(cloud.requests) == 1

    @pytest.mark.parametrize(
        ("message", "mismatch"),
        [
            ("API Key -Client mismatch", True),
            ("API Key is missing", False),
            ("API Key is invalid", False),
            ("API Key missing in url/headers!", False),
            ("Invalid API key", False),
        ],
    )
    async def test_a_refused_key_needs_no_new_token(
        self,
        client: EnphaseCloudClient,
        cloud: FakeCloud,
        journal: list[str],
        *,
        message: str,
        mismatch: bool,
    ) -> None:
        cloud.script(refusal(message=message))
        with pytest.raises(InvalidApiKeyError) as raised:
            await client.get(SUMMARY, system_id=SYSTEM_ID)
        assert raised.value.mismatch is mismatch
        assert "renewal" not in journal

    async def test_a_key_may_be_refused_after_the_renewal(
        self, client: EnphaseCloudClient, cloud: FakeCloud
    ) -> None:
        cloud.script(refusal(), refusal(message="API Key -Client mismatch"))
        with pytest.raises(InvalidApiKeyError):
            await client.get(SUMMARY, system_id=SYSTEM_ID)

    async def test_a_missing_access_control_needs_no_new_token(
        self, client: EnphaseCloudClient, cloud: FakeCloud, journal: list[str]
    ) -> None:
        message = "Application is not authorized to access the requested resource"
        cloud.script(refusal(message=message))
        with pytest.raises(NotEntitledError):
            await stream(client)
        assert "renewal" not in journal

    async def test_another_error_of_the_second_request_is_raised(
        self, client: EnphaseCloudClient, cloud: FakeCloud
    ) -> None:
        cloud.script(refusal(), refusal(500))
        with pytest.raises(ServerError):
            await client.get(SUMMARY, system_id=SYSTEM_ID)


class TestPages:
    """All pages of a list are read, but no more."""

    async def test_all_pages_are_read(
        self, client: EnphaseCloudClient, cloud: FakeCloud
    ) -> None:
        cloud.script(
            reply(page(range(1, 101), total=201)),
            reply(page(range(101, 201), total=201)),
            reply(page(range(201, 202), total=201)),
        )
        systems = await client.pages(SYSTEMS)
        assert [system.system_id for system in systems] == list(range(1, 202))
        assert [request.query["page"] for request in cloud.requests] == ["1", "2", "3"]

    async def test_pages_smaller_than_requested_are_read(
        self, client: EnphaseCloudClient, cloud: FakeCloud
    ) -> None:
        cloud.script(
            reply(page(range(1, 11), total=12)), reply(page(range(11, 13), total=12))
        )
        assert len(await client.pages(SYSTEMS)) == 12

    async def test_without_a_total_a_full_page_is_not_the_last(
        self, client: EnphaseCloudClient, cloud: FakeCloud
    ) -> None:
        cloud.script(reply(page(range(1, 101))), reply(page(range(101, 103))))
        assert len(await client.pages(SYSTEMS)) == 102

    async def test_a_page_without_new_items_is_the_last(
        self, client: EnphaseCloudClient, cloud: FakeCloud
    ) -> None:
        same = reply(page(range(1, 101), total=1_000_000))
        cloud.script(same, same)
        assert len(await client.pages(SYSTEMS)) == 100

    async def test_pages_are_read_until_all_wanted_ids_are_found(
        self, client: EnphaseCloudClient, cloud: FakeCloud
    ) -> None:
        cloud.script(
            reply(page(range(1, 101), total=5_000)),
            reply(page(range(101, 201), total=5_000)),
        )
        systems = await client.pages(SYSTEMS, wanted=[7, 150])
        assert {7, 150} <= {system.system_id for system in systems}
        assert len(cloud.requests) == 2

    async def test_at_most_100_pages_are_read(
        self, client: EnphaseCloudClient, cloud: FakeCloud
    ) -> None:
        cloud.script(
            *(reply(page(range(n, n + 1), total=10**9)) for n in range(1, 102))
        )
        assert len(await client.pages(SYSTEMS)) == 100
        assert len(cloud.requests) == 100

    async def test_an_account_without_systems_has_an_empty_list(
        self, client: EnphaseCloudClient, cloud: FakeCloud
    ) -> None:
        cloud.script(reply(page(range(0), total=0)))
        assert await client.pages(SYSTEMS) == []

    async def test_unreadable_systems_are_skipped(
        self, client: EnphaseCloudClient, cloud: FakeCloud
    ) -> None:
        document = page(range(7, 8), total=3)
        document["systems"] += [None, {"name": "without id"}]
        cloud.script(reply(document))
        systems = await client.pages(SYSTEMS)
        assert [system.system_id for system in systems] == [7]

    @pytest.mark.parametrize("document", [{}, {"systems": {}}, {"systems": [None]}])
    async def test_a_response_without_a_list_is_malformed(
        self, client: EnphaseCloudClient, cloud: FakeCloud, document: object
    ) -> None:
        cloud.script(reply(document))
        with pytest.raises(MalformedResponseError):
            await client.pages(SYSTEMS)


async def test_the_session_stays_open(
    client: EnphaseCloudClient, cloud: FakeCloud, session: ClientSession
) -> None:
    cloud.script(reply({"system_id": SYSTEM_ID}))
    await client.get(SUMMARY, system_id=SYSTEM_ID)
    assert not session.closed
