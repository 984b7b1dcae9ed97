"""The client: one method for each operation of the Monitoring API v4."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import date, datetime
from http import HTTPStatus
from itertools import count
from typing import Any, Final, Literal, Protocol

from aiohttp import ClientSession, ClientTimeout
from yarl import URL

from .auth import AbstractAuth
from .error_bodies import success
from .exceptions import InvalidTokenError, NotEntitledError, QuotaExceededError
from .live import LiveStream, open_stream
from .models.battery import BatteryTelemetry
from .models.energy import (
    DailyBatteryEnergies,
    DailyEnergies,
    DailySeries,
    EnergyIntervals,
    IntervalSeries,
)
from .models.latest import LatestTelemetry
from .models.summary import Summary
from .models.systems import System, SystemsPage
from .operations import Operation
from .transport import SENT_ONCE, exchange, guarded, parse_object, secure_url

DEFAULT_URL: Final = URL("https://api.enphaseenergy.com")

_TIMEOUT: Final = ClientTimeout(total=30)
_STREAM_CONNECT_SECONDS: Final = 10
_STREAM_IDLE_SECONDS: Final = 45
_STREAM_OVERTIME_SECONDS: Final = 60
_LIST_PAGE_SIZE: Final = 100
_SEARCH_PAGE_SIZE: Final = 1000

type Granularity = Literal["day", "week"]
"""How long a document of intervals is; they are equally fine in both."""


class Gate(Protocol):
    """Lets attempts out, and sees how they end."""

    def attempt(self, operation: Operation) -> AbstractAsyncContextManager[None]:
        """Return what one attempt is made inside of.

        Entering counts the attempt, which leaves right after, or raises
        RequestWithheldError. The error of a failed attempt passes through the exit. A
        stream's attempt ends when the stream is open; what fails later does not pass.
        """

    async def refused(self, err: QuotaExceededError) -> None:
        """Learn from a stream that was open already that a quota is used up."""


class EnphaseCloudClient:
    """Asks the cloud as one user of one application.

    Every method raises, besides what it documents: RequestWithheldError where the gate
    refuses; EnphaseConnectionError and EnphaseTimeoutError; MalformedAnswerError;
    InvalidApiKeyError, NotEntitledError, QuotaExceededError, ServerError and other
    kinds of ApiError; and whatever the auth raises. Only a refused access token leads
    to a second attempt, with a new one.
    """

    def __init__(
        self,
        session: ClientSession,
        auth: AbstractAuth,
        api_key: str,
        gate: Gate,
        *,
        url: URL | str = DEFAULT_URL,
    ) -> None:
        """Bind the client to an application's key and a user's token.

        Raises ValueError where the URL is neither https nor on this machine, or the
        key holds characters that no header can.
        """
        if not api_key.isprintable():
            raise ValueError("The API key holds control characters")
        self._session = session
        self._auth = auth
        self._api_key = api_key
        self._gate = gate
        self._url = secure_url(url) / "api" / "v4" / "systems"

    async def list_systems(self) -> list[System]:
        """Return the systems of the account (GET /systems).

        Costs a call for each 100 systems.
        """

        async def page(number: int) -> SystemsPage:
            return SystemsPage.from_api(
                await self._request(
                    Operation.SYSTEMS,
                    self._url,
                    params={"page": number, "size": _LIST_PAGE_SIZE, "sort_by": "id"},
                )
            )

        return await _all_pages(page, _LIST_PAGE_SIZE)

    async def search_live_stream_systems(self) -> list[System]:
        """Return the systems with what is known of live data (POST /systems/search).

        Costs a call for each 1,000 systems.
        """

        async def page(number: int) -> SystemsPage:
            return SystemsPage.from_api(
                await self._request(
                    Operation.SEARCH_SYSTEMS,
                    self._url / "search",
                    method="POST",
                    params={
                        "page": number,
                        "size": _SEARCH_PAGE_SIZE,
                        "live_stream": "true",
                    },
                    # Empty filters are ignored, but "system" must not be.
                    json={"sort_by": "id", "system": {"ids": []}},
                )
            )

        return await _all_pages(page, _SEARCH_PAGE_SIZE)

    async def get_summary(self, system_id: int) -> Summary:
        """Return a system's summary of today (GET /systems/{id}/summary).

        Raises UnknownSystemError and ForbiddenError.
        """
        url = self._url / str(system_id) / "summary"
        return Summary.from_api(await self._request(Operation.SUMMARY, url))

    async def get_battery_telemetry(
        self,
        system_id: int,
        *,
        start_at: datetime | None = None,
        granularity: Granularity = "day",
    ) -> BatteryTelemetry:
        """Return battery intervals (GET /systems/{id}/telemetry/battery).

        They are those of the day or week from `start_at` on, which is aware and at
        most two years ago; without it, those of the system's present day. Raises
        UnknownSystemError, ForbiddenError and InvalidRequestError.
        """
        return BatteryTelemetry.from_api(
            await self._request(
                Operation.BATTERY_TELEMETRY,
                self._url / str(system_id) / "telemetry" / "battery",
                params=_window(start_at, granularity),
            )
        )

    async def get_energy_intervals(
        self,
        system_id: int,
        series: IntervalSeries,
        *,
        start_at: datetime | None = None,
        granularity: Granularity = "day",
    ) -> EnergyIntervals:
        """Return one flow in intervals (GET /systems/{id}/…, the series' path).

        Arguments and errors are those of get_battery_telemetry.
        """
        document = await self._request(
            series.operation,
            self._url.joinpath(str(system_id), series.path),
            params=_window(start_at, granularity),
        )
        return EnergyIntervals.from_api(document, series)

    async def get_daily_energies(
        self,
        system_id: int,
        series: DailySeries,
        *,
        start_date: date | None = None,
        end_date: date | None = None,
    ) -> DailyEnergies:
        """Return one flow day by day (GET /systems/{id}/…, the series' path).

        Both dates are days of the system and included; without them, all days up to
        yesterday. Raises UnknownSystemError, ForbiddenError and InvalidRequestError.
        """
        document = await self._request(
            series.operation,
            self._url / str(system_id) / series.path,
            params=_days(start_date, end_date),
        )
        return DailyEnergies.from_api(document, member=series.member)

    async def get_daily_battery_energies(
        self,
        system_id: int,
        *,
        start_date: date | None = None,
        end_date: date | None = None,
    ) -> DailyBatteryEnergies:
        """Return what batteries did day by day (GET /systems/{id}/battery_lifetime).

        Arguments and errors are those of get_daily_energies.
        """
        return DailyBatteryEnergies.from_api(
            await self._request(
                Operation.BATTERY_LIFETIME,
                self._url / str(system_id) / "battery_lifetime",
                params=_days(start_date, end_date),
            )
        )

    async def get_latest_telemetry(self, system_id: int) -> LatestTelemetry:
        """Return the last reported powers (GET /systems/{id}/latest_telemetry).

        Raises UnknownSystemError and ForbiddenError.
        """
        url = self._url / str(system_id) / "latest_telemetry"
        return LatestTelemetry.from_api(
            await self._request(Operation.LATEST_TELEMETRY, url)
        )

    @asynccontextmanager
    async def stream_live_data(
        self, system_id: int, *, duration: int
    ) -> AsyncGenerator[LiveStream]:
        """Open a stream of live data (GET /systems/{id}/live_data).

        `duration` is 30 to 300 seconds; each stream is billed. Entering raises
        UnknownSystemError, ForbiddenError, InvalidDurationError,
        UnsupportedGatewayError, LiveStreamNotSupportedError, GatewayOfflineError,
        ServiceUnreachableError and ConnectionNotEstablishedError. On exit the
        connection closes, and the gate learns of a QuotaExceededError of the stream.
        """

        async def attempt(token: str) -> LiveStream:
            return await self._open_stream(token, system_id, duration)

        stream = await self._attempt(Operation.LIVE_DATA, attempt)
        try:
            yield stream
        finally:
            stream.close()
            if stream.refusal is not None:
                await self._gate.refused(stream.refusal)

    async def _request(
        self, operation: Operation, url: URL, *, method: str = "GET", **options: Any
    ) -> Mapping[str, Any]:
        """Return the document that one request asks for."""

        async def attempt(token: str) -> Mapping[str, Any]:
            answer = await exchange(
                self._session,
                method,
                url,
                headers=self._headers(token),
                timeout=_TIMEOUT,
                **options,
            )
            return parse_object(success(operation, answer))

        return await self._attempt(operation, attempt)

    async def _open_stream(
        self, token: str, system_id: int, duration: int
    ) -> LiveStream:
        """Return a stream once the cloud has granted it."""
        headers = self._headers(token) | {
            "Accept": "text/event-stream",
            # A compressor would hold frames back.
            "Accept-Encoding": "identity",
            "duration": str(duration),
        }
        timeout = ClientTimeout(
            total=duration + _STREAM_OVERTIME_SECONDS,
            sock_connect=_STREAM_CONNECT_SECONDS,
            sock_read=_STREAM_IDLE_SECONDS,
        )
        url = self._url / str(system_id) / "live_data"
        ends_at = asyncio.get_running_loop().time() + duration
        response = await guarded(
            self._session.get(url, headers=headers, timeout=timeout, **SENT_ONCE)
        )
        try:
            return await open_stream(response, ends_at=ends_at)
        except BaseException:
            response.close()
            raise

    async def _attempt[ResultT](
        self, operation: Operation, attempt: Callable[[str], Awaitable[ResultT]]
    ) -> ResultT:
        """Attempt an operation, and once more if a new token may cure a refusal.

        401 does not say what is wrong. When a new token changes nothing, the
        application is not entitled to the operation.
        """
        token = await self._auth.async_get_access_token()
        with suppress(InvalidTokenError):
            async with self._gate.attempt(operation):
                return await attempt(token)
        renewed = await self._auth.async_get_access_token(rejected=token)
        if renewed != token:
            with suppress(InvalidTokenError):
                async with self._gate.attempt(operation):
                    return await attempt(renewed)
        raise NotEntitledError(operation, HTTPStatus.UNAUTHORIZED)

    def _headers(self, token: str) -> dict[str, str]:
        return {
            "Accept": "application/json",
            "Authorization": f"Bearer {token}",
            "key": self._api_key,
        }


def _window(start_at: datetime | None, granularity: Granularity) -> dict[str, Any]:
    """Return the parameters of telemetry; a day is what the cloud tells unasked."""
    if start_at is None:
        return {}
    start = {"start_at": int(start_at.timestamp())}
    return start if granularity == "day" else start | {"granularity": granularity}


def _days(start_date: date | None, end_date: date | None) -> dict[str, str]:
    """Return the parameters of a lifetime series."""
    dates = {"start_date": start_date, "end_date": end_date}
    return {name: day.isoformat() for name, day in dates.items() if day is not None}


async def _all_pages(
    page: Callable[[int], Awaitable[SystemsPage]], size: int
) -> list[System]:
    """Ask for pages until all systems are known or a page brings no new one."""
    systems: dict[int, System] = {}
    listed = 0
    for number in count(1):
        answer = await page(number)
        known = len(systems)
        systems |= {system.system_id: system for system in answer.systems}
        listed += answer.listed
        is_last = (
            answer.listed < size if answer.total is None else listed >= answer.total
        )
        if is_last or len(systems) == known:
            break
    return list(systems.values())
