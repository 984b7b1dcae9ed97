"""Every documented error, with every form of error body."""

from datetime import UTC, datetime
import json
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.enphase_cloud.api import (
    ApiError,
    ConnectionNotEstablishedError,
    EnphaseCloudClient,
    ForbiddenError,
    GatewayOfflineError,
    InvalidApiKeyError,
    InvalidDurationError,
    InvalidRequestError,
    LiveStreamNotSupportedError,
    MinuteQuotaError,
    MonthQuotaError,
    NotEntitledError,
    NotOfferedError,
    QuotaExceededError,
    ServerError,
    ServiceUnreachableError,
    UnknownSystemError,
    UnsupportedGatewayError,
)
from custom_components.enphase_cloud.api.endpoints import LIVE_DATA, SUMMARY

from .conftest import SYSTEM_ID, TOKEN, FakeAuth, FakeCloud, reply


def live_error(code: Any, status: str = "", message: str = "") -> dict[str, Any]:
    """Return an error body of the live service."""
    error = {"code": code, "status": status, "message": message, "details": [{}]}
    return {"error": error, "timestamp_epoch": 1_780_000_000, "type": "x_error"}


NORMAL: dict[int, type[ApiError]] = {
    400: InvalidRequestError,
    402: ApiError,
    403: ForbiddenError,
    404: UnknownSystemError,
    405: InvalidRequestError,
    418: ApiError,
    422: InvalidRequestError,
    429: QuotaExceededError,
    500: ServerError,
    501: NotOfferedError,
    503: ServerError,
    504: ServerError,
    599: ServerError,
    600: ApiError,
}
LIVE: dict[int, tuple[str, type[ApiError]]] = {
    403: ("FORBIDDEN", ForbiddenError),
    429: ("TOO_MANY_REQUESTS", QuotaExceededError),
    461: ("INVALID_DURATION", InvalidDurationError),
    462: ("INVALID_DURATION", InvalidDurationError),
    463: ("INVALID_DURATION", InvalidDurationError),
    466: ("UNSUPPORTED_ENVOY", UnsupportedGatewayError),
    468: ("INVALID_SYSTEM_ID", UnknownSystemError),
    472: ("LIVE_STREAM_NOT_SUPPORTED", LiveStreamNotSupportedError),
    473: ("IQ_GATEWAY_NOT_REPORTING", GatewayOfflineError),
    550: ("SERVICE_UNREACHABLE", ServiceUnreachableError),
    551: ("SERVICE_UNREACHABLE", ServiceUnreachableError),
    552: ("CONNECTION_NOT_ESTABLISHED", ConnectionNotEstablishedError),
}

# "$" is replaced by the status.
ENVELOPES: list[Any] = [
    {"message": "No", "details": "Not so", "code": "$"},
    {"message": "No", "details": ["a", "b"], "code": "$", "period_end": None},
    {"reason": "$", "message": ["No"]},
    {"errorCode": 7, "errorMessages": ["Later"]},
    {"error": "oops", "error_description": "Not so"},
    live_error("$"),
    {},
    [],
    "No",
    None,
]


async def refused_summary(client: EnphaseCloudClient) -> ApiError:
    """Request a summary, which is refused."""
    with pytest.raises(ApiError) as raised:
        await client.get(SUMMARY, system_id=SYSTEM_ID)
    return raised.value


async def refused_stream(client: EnphaseCloudClient) -> ApiError:
    """Open a stream, which is refused."""
    with pytest.raises(ApiError) as raised:
        async with client.stream(SYSTEM_ID, duration=30):
            pass
    return raised.value


@pytest.mark.parametrize(("status", "expected"), NORMAL.items())
@pytest.mark.parametrize("envelope", ENVELOPES)
async def test_the_status_decides_with_any_body(
    client: EnphaseCloudClient,
    cloud: FakeCloud,
    status: int,
    expected: type[ApiError],
    envelope: Any,
) -> None:
    envelope = json.loads(json.dumps(envelope).replace('"$"', str(status)))
    cloud.script(reply(envelope, status=status))
    error = await refused_summary(client)
    assert type(error) is expected
    assert (error.operation, error.status) == (SUMMARY.name, status)


@pytest.mark.parametrize(("code", "expected"), LIVE.items())
@pytest.mark.parametrize("http_status", [None, 200, 500])
async def test_errors_of_the_live_service_are_identified_by_code(
    client: EnphaseCloudClient,
    cloud: FakeCloud,
    code: int,
    expected: tuple[str, type[ApiError]],
    http_status: int | None,
) -> None:
    name, kind = expected
    if http_status == 500 and code in {403, 429}:
        kind = ServerError
    cloud.script(reply(live_error(code, name), status=http_status or code))
    error = await refused_stream(client)
    assert type(error) is kind
    assert error.operation == LIVE_DATA.name


@pytest.mark.parametrize(("name", "expected"), LIVE.values())
async def test_a_status_text_may_replace_the_code(
    client: EnphaseCloudClient,
    cloud: FakeCloud,
    name: str,
    expected: type[ApiError],
) -> None:
    cloud.script(reply(live_error(None, name)))
    assert type(await refused_stream(client)) is expected


@pytest.mark.parametrize(
    "document",
    [
        {"code": 466, "message": "No"},
        {"code": "466", "message": "No"},
        {"reason": "466", "message": ["No"]},
        {"error": {"code": 466}},
        {"error": {"code": "466"}, "code": 500},
    ],
)
async def test_a_code_of_the_live_service_is_found_in_every_body(
    client: EnphaseCloudClient, cloud: FakeCloud, document: object
) -> None:
    cloud.script(reply(document, status=500))
    error = await refused_stream(client)
    assert type(error) is UnsupportedGatewayError
    assert error.status == 466


@pytest.mark.parametrize("name", ["NOT_AUTHENTICATED", "UNAUTHORIZED"])
async def test_a_status_text_may_mean_a_refused_token(
    client: EnphaseCloudClient, cloud: FakeCloud, name: str
) -> None:
    refusal = reply(live_error(None, name))
    cloud.script(refusal, refusal)
    assert type(await refused_stream(client)) is NotEntitledError
    assert len(cloud.requests) == 2


async def test_the_status_outweighs_a_standard_code_in_the_body(
    client: EnphaseCloudClient, cloud: FakeCloud
) -> None:
    cloud.script(reply({"code": 404, "message": "No"}, status=503))
    error = await refused_summary(client)
    assert type(error) is ServerError
    assert error.status == 503


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"api key " * 8000,
        b"<html>API Key is invalid</html>",
        b"{",
        b"[" * 60_000,
        b"\xff\xfe",
    ],
    ids=["empty", "words", "page", "truncated", "nested too deeply", "not text"],
)
async def test_errors_need_no_readable_body(
    client: EnphaseCloudClient, cloud: FakeCloud, body: bytes
) -> None:
    cloud.script(reply(status=500, body=body), reply(status=403, body=body))
    assert type(await refused_summary(client)) is ServerError
    assert type(await refused_summary(client)) is ForbiddenError


async def test_a_refusal_of_the_key_may_be_plain_text(
    client: EnphaseCloudClient, cloud: FakeCloud
) -> None:
    body = b"API Key missing in url/headers!"
    cloud.script(reply(status=401, body=body, content_type="text/plain"))
    error = await refused_summary(client)
    assert isinstance(error, InvalidApiKeyError)
    assert not error.mismatch


async def test_a_refusal_of_the_key_may_be_a_list(
    client: EnphaseCloudClient, cloud: FakeCloud
) -> None:
    document = {"reason": "401", "message": ["No", "API Key -Client mismatch"]}
    cloud.script(reply(document, status=401))
    error = await refused_summary(client)
    assert isinstance(error, InvalidApiKeyError)
    assert error.mismatch


@pytest.mark.parametrize("code", [7, 200, 399, 600, -404, None, True, "soon"])
async def test_a_code_that_is_not_a_status_is_ignored(
    client: EnphaseCloudClient, cloud: FakeCloud, code: object
) -> None:
    cloud.script(reply({"error": {"code": code}}))
    error = await refused_stream(client)
    assert type(error) is ApiError
    assert error.status == 200


async def test_a_page_is_not_a_refusal_of_the_key(
    client: EnphaseCloudClient, cloud: FakeCloud, auth: FakeAuth
) -> None:
    auth.renewed = TOKEN
    page = b"<html>Is your API key invalid? Ask for a new one.</html>"
    cloud.script(reply(status=401, body=page, content_type="text/html"))
    assert type(await refused_summary(client)) is NotEntitledError


async def test_the_live_service_may_refuse_the_key(
    client: EnphaseCloudClient, cloud: FakeCloud
) -> None:
    document = live_error(401, "NOT_AUTHENTICATED", "API Key is invalid")
    cloud.script(reply(document, status=401))
    assert type(await refused_stream(client)) is InvalidApiKeyError


@pytest.mark.parametrize(
    "message", ["User is not authorized", "Usage report of the api key holder", ""]
)
async def test_other_texts_are_not_refusals_of_the_key(
    client: EnphaseCloudClient, cloud: FakeCloud, message: str
) -> None:
    refusal = reply({"message": message, "code": 401}, status=401)
    cloud.script(refusal, refusal)
    assert type(await refused_summary(client)) is NotEntitledError


class TestQuota:
    """429 with and without details of the quota."""

    START = datetime(2026, 6, 1, tzinfo=UTC)
    END = datetime(2026, 7, 1, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("period", "expected"),
        [
            ("minute", MinuteQuotaError),
            ("month", MonthQuotaError),
            ("Month", MonthQuotaError),
            ("week", QuotaExceededError),
            (None, QuotaExceededError),
            ([], QuotaExceededError),
        ],
    )
    async def test_reads_the_period(
        self,
        client: EnphaseCloudClient,
        cloud: FakeCloud,
        period: object,
        expected: type[QuotaExceededError],
    ) -> None:
        document = {
            "message": "Too Many Requests",
            "details": "Usage limit exceeded for plan Watt",
            "code": 429,
            "period": period,
            "period_start": self.START.timestamp(),
            "period_end": str(int(self.END.timestamp())),
            "limit": 1000,
        }
        cloud.script(reply(document, status=429))
        error = await refused_summary(client)
        assert type(error) is expected
        assert isinstance(error, QuotaExceededError)
        assert (error.period_start, error.period_end) == (self.START, self.END)
        assert error.limit == 1000

    async def test_all_details_are_optional(
        self, client: EnphaseCloudClient, cloud: FakeCloud
    ) -> None:
        cloud.script(reply({"code": 429, "period_end": "soon"}, status=429))
        error = await refused_summary(client)
        assert isinstance(error, QuotaExceededError)
        details = (error.period, error.period_start, error.period_end, error.limit)
        assert details == (None, None, None, None)

    def test_each_class_has_its_period(self) -> None:
        assert MinuteQuotaError(SUMMARY.name).period == "minute"
        assert MonthQuotaError(SUMMARY.name).period == "month"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                "error code status reason message details period limit".split()
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(document=json_values, status=st.integers(400, 599))
async def test_any_error_body_is_an_api_error(
    client: EnphaseCloudClient, cloud: FakeCloud, document: Any, status: int
) -> None:
    cloud.script(reply(document, status=status), reply(document, status=status))
    error = await refused_summary(client)
    assert 400 <= error.status < 600
    assert error.operation == SUMMARY.name
    cloud.discard()
