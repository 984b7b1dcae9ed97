"""Writes settings: merges changes, makes one request at a time, and reads them back."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
import logging
from typing import Any, Final

from homeassistant.core import callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util

from ..api import (
    EnphaseCloudError,
    EnphaseConnectionError,
    ForbiddenError,
    InvalidRequestError,
    MalformedResponseError,
    NotEntitledError,
    QuotaExceededError,
    RequestWithheldError,
    UnknownSystemError,
)
from ..documents.base import Known
from ..documents.writes import RefusedChangeError, Setting
from ..errors import translated
from ..measurements.settings_state import Fields, Written
from ..runtime.key_budget import for_the_user
from .base import SystemContext
from .document import DocumentCoordinator
from .error_policy import (
    REFUSALS,
    as_refusal,
    error_policy,
    explained,
    explained_to_user,
    foreseen,
    raise_if_refused,
    refuse,
)
from .timer import Timer

_LOGGER = logging.getLogger(__name__)

AT_ONCE: Final = timedelta()
# An older document is requested again before a part of it is changed.
_FRESH: Final = timedelta(minutes=10)
# Errors after which a write may have taken effect or not.
_UNCERTAIN: Final = (EnphaseConnectionError, MalformedResponseError)
# Errors after which it has not.
_NOT_WRITTEN: Final = (
    ForbiddenError,
    InvalidRequestError,
    NotEntitledError,
    QuotaExceededError,
    RequestWithheldError,
    UnknownSystemError,
)


@dataclass(slots=True, eq=False)
class _Batch:
    """Changes that are written together; the last one of each field counts."""

    timer: Timer
    done: asyncio.Future[None]
    fields: dict[str, Any] = field(default_factory=dict)
    failure: HomeAssistantError | None = None
    """What callers get if the write ends early."""

    def fail(self, err: HomeAssistantError) -> None:
        """Raise an error for all callers that wait."""
        self.done.set_exception(err)
        # Read, so that asyncio does not warn if no caller waits any more.
        self.done.exception()


class SettingsWriter:
    """Writes the settings of one document of a system."""

    def __init__(
        self, context: SystemContext, document: DocumentCoordinator, setting: Setting
    ) -> None:
        """Plan to read back what was written before a restart."""
        self._context = context
        self._document = document
        self._setting = setting
        self._written = context.store.settings.of(setting.source)
        self._waiting: dict[str, _Batch] = {}
        self._one_by_one = asyncio.Lock()
        # The newest document, when it arrived, and how many arrived.
        self._response: Any = None
        self._received_at: datetime | None = None
        self._received = 0
        self._is_stopped = False
        self._read_back = Timer(context.shared.hass, self._begin_read_back)
        document.responses.async_add_listener(self._take)
        context.shared.entry.async_on_unload(self._stop)
        self._plan_read_back()

    def is_unconfirmed(self, key: str = "") -> bool:
        """Return whether a part has a change that was not read back yet."""
        return key in self._written

    async def async_set(
        self, fields: Fields, key: str = "", *, quiet: timedelta = AT_ONCE
    ) -> None:
        """Write fields of a part, together with changes before a quiet time has passed.

        Returns once the cloud has accepted them. Raises ServiceValidationError for
        values that make no sense, and HomeAssistantError where the write fails.
        """
        raise_if_refused(self._context, self._setting.source)
        if self._is_fresh:
            self._changed(key, fields)
        batch = self._waiting.get(key)
        if batch is None:
            hass = self._context.shared.hass
            timer = Timer(hass, partial(self._begin, key))
            batch = self._waiting[key] = _Batch(timer, hass.loop.create_future())
        batch.fields |= fields
        if quiet:
            batch.timer.start(quiet)
        else:
            self._begin(key)
        # A caller that is cancelled must not cancel the changes of others.
        await asyncio.shield(batch.done)

    @property
    def _is_fresh(self) -> bool:
        at, now = self._received_at, dt_util.utcnow()
        return at is not None and now - _FRESH <= at <= now

    @callback
    def _take(self, response: Any, known: Known) -> None:
        self._response, self._received_at = response, known.fetched_at
        self._received += 1

    @callback
    def _begin(self, key: str) -> None:
        self._run(partial(self._async_write_batch, key))

    @callback
    def _begin_read_back(self) -> None:
        self._run(self._async_read_back)

    def _run(self, work: Any) -> None:
        shared = self._context.shared
        shared.entry.async_create_background_task(
            shared.hass, work(), f"Enphase Cloud {self._setting.source}"
        )

    @callback
    def _stop(self) -> None:
        """Start no further write, and fail those that wait."""
        self._is_stopped = True
        self._read_back.stop()
        for batch in self._waiting.values():
            batch.timer.stop()
            batch.fail(_not_written())
        self._waiting.clear()

    async def _async_write_batch(self, key: str) -> None:
        async with self._one_by_one:
            # It includes changes made while another write was under way.
            if (batch := self._waiting.pop(key, None)) is None:
                return
            batch.timer.stop()
            batch.failure = _not_written()
            try:
                await self._async_write(key, batch)
                batch.failure = None
            except HomeAssistantError as err:
                batch.failure = err
            finally:
                # Entities update first: callers then see the state of the cloud.
                self._plan_read_back()
                self._document.async_update_listeners()
                if batch.failure is None:
                    batch.done.set_result(None)
                else:
                    batch.fail(batch.failure)

    async def _async_write(self, key: str, batch: _Batch) -> None:
        """Write a batch as part of the whole document, and publish the response."""
        source, fields = self._setting.source, batch.fields
        raise_if_refused(self._context, source)
        if not self._is_fresh:
            await self._async_read()
        changed = self._changed(key, fields)
        before = self._written.get(key)
        # One change may undo a part of another.
        names = fields.keys() | (before.fields.keys() if before else ())
        wanted = {name: getattr(changed, name, None) for name in names}
        await self._async_keep(key, wanted)
        # An unload cancels the request, which the cloud may have received.
        batch.failure = _uncertain()
        try:
            await self._async_put(key, wanted, changed.body(), before)
        except EnphaseCloudError as err:
            raise self._explained(as_refusal(err, source)) from None

    def _changed(self, key: str, fields: Fields) -> Any:
        """Return the changed part; raise HomeAssistantError if invalid or missing."""
        part = self._setting.part(self._response, key)
        if part is None:
            raise translated(HomeAssistantError, "setting_is_gone")
        try:
            return self._setting.change(part, fields, self._context.board)
        except RefusedChangeError as err:
            raise _invalid(err) from None

    async def _async_put(
        self, key: str, wanted: Fields, body: Mapping[str, Any], before: Written | None
    ) -> None:
        """Write; after an uncertain error read first, and write again if needed."""
        try:
            await self._async_put_once(body)
        except _NOT_WRITTEN:
            self._put_back(key, before)
            raise
        except _UNCERTAIN as err:
            _LOGGER.info("Checking whether a setting was written: %s", err)
            # If the request fails, the timer reads it back later.
            await self._async_read()
            if not self._setting.has(self._response, key, wanted):
                await self._async_put_once(body)

    async def _async_put_once(self, body: Mapping[str, Any]) -> None:
        shared, system_id = self._context.shared, self._context.info.system_id
        with foreseen(), for_the_user():
            response = await shared.client.put(
                self._setting.write, body, system_id=system_id
            )
            await self._document.responses.async_take(response, dt_util.utcnow())

    def _explained(self, err: EnphaseCloudError) -> HomeAssistantError:
        """Handle a refusal, and return the translated exception for an error."""
        source = self._setting.source
        if error_policy(err).consequence in REFUSALS:
            refuse(self._context, source, err)
        if isinstance(err, InvalidRequestError):
            return translated(
                HomeAssistantError, "setting_refused", details=err.details or err
            )
        if isinstance(err, _UNCERTAIN):
            return _uncertain()
        return explained_to_user(self._context, err, source)

    async def _async_keep(self, key: str, fields: Fields) -> None:
        """Store a change before it is written; after a crash it is read back."""
        self._written[key] = Written(fields, dt_util.utcnow())
        self._context.store.save_soon()
        with suppress(OSError, HomeAssistantError):
            await self._context.shared.storage.async_save()

    def _put_back(self, key: str, before: Written | None) -> None:
        if before is None:
            self._written.pop(key, None)
        else:
            self._written[key] = before
        self._context.store.save_soon()

    async def _async_read(self) -> None:
        """Request the document on the user's reserve; raises HomeAssistantError."""
        received, source = self._received, self._setting.source
        await self._document.async_refresh_for_user()
        if self._received != received:
            return
        raise_if_refused(self._context, source)
        if (err := self._document.last_error) is not None:
            raise explained(HomeAssistantError, err, source)
        raise translated(HomeAssistantError, "setting_is_gone")

    @callback
    def _plan_read_back(self) -> None:
        due = min((each.due for each in self._written.values()), default=None)
        if due is None or self._is_stopped:
            self._read_back.stop()
        else:
            self._read_back.start(max(due - dt_util.utcnow(), AT_ONCE))

    async def _async_read_back(self) -> None:
        """Check whether the cloud has what was written."""
        async with self._one_by_one:
            now, is_known = dt_util.utcnow(), False
            with suppress(HomeAssistantError):
                await self._async_read()
                is_known = True
            for key, written in [*self._written.items()]:
                fields, document = written.fields, self._response
                has = is_known and self._setting.has(document, key, fields)
                if has or written.due <= now:
                    self._put_back(key, None if has else written.not_found())
            self._plan_read_back()
        self._document.async_update_listeners()


def _invalid(err: RefusedChangeError) -> ServiceValidationError:
    match err.key:
        case "load_is_locked":
            return translated(ServiceValidationError, "load_is_locked")
        case "load_needs_more":
            return translated(ServiceValidationError, "load_needs_more")
    return translated(ServiceValidationError, "reserve_is_full")


def _not_written() -> HomeAssistantError:
    return translated(HomeAssistantError, "setting_not_written")


def _uncertain() -> HomeAssistantError:
    return translated(HomeAssistantError, "setting_uncertain")
