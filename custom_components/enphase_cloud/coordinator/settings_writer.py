"""Writes settings: coalesced, one request at a time, published, and read back."""

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
    foreseen,
    raise_if_refused,
    refuse,
)
from .timer import Timer

_LOGGER = logging.getLogger(__name__)

AT_ONCE: Final = timedelta()
# What is older is requested anew before a part of it is changed.
_FRESH: Final = timedelta(minutes=10)
# It may have taken effect, or not.
_UNCERTAIN: Final = (EnphaseConnectionError, MalformedResponseError)
# It has taken no effect.
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
    """Changes that are written together, the last of each winning."""

    timer: Timer
    done: asyncio.Future[None]
    fields: dict[str, Any] = field(default_factory=dict)

    def fail(self, err: HomeAssistantError) -> None:
        """Let those who wait know, if anybody still does."""
        self.done.set_exception(err)
        self.done.exception()


class SettingsWriter:
    """Writes one document of settings of a system."""

    def __init__(
        self, context: SystemContext, document: DocumentCoordinator, setting: Setting
    ) -> None:
        """Read back what was written before a restart."""
        self._context = context
        self._document = document
        self._setting = setting
        self._written = context.store.settings.of(setting.source)
        now = dt_util.utcnow()
        for key, each in self._written.items():
            # A clock may have been ahead.
            self._written[key] = each._replace(at=min(each.at, now))
        self._waiting: dict[str, _Batch] = {}
        self._one_by_one = asyncio.Lock()
        # The newest answer, when it came, and how many came.
        self._answer: Any = None
        self._answered_at: datetime | None = None
        self._answers = 0
        self._is_stopped = False
        self._look = Timer(context.shared.hass, self._begin_look)
        document.answers.async_add_listener(self._take)
        context.shared.entry.async_on_unload(self._stop)
        self._plan_look()

    def is_unconfirmed(self, key: str = "") -> bool:
        """Tell whether something was written that was not read back yet."""
        return key in self._written

    async def async_set(
        self, fields: Fields, key: str = "", *, quiet: timedelta = AT_ONCE
    ) -> None:
        """Write fields of a part with what comes within a quiet time after them.

        Returns once the cloud has taken them. Raises ServiceValidationError for what
        makes no sense, and HomeAssistantError where they cannot be written.
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
        # Who gives up must not take the others' change back.
        await asyncio.shield(batch.done)

    @property
    def _is_fresh(self) -> bool:
        at, now = self._answered_at, dt_util.utcnow()
        return at is not None and now - _FRESH <= at <= now

    @callback
    def _take(self, answer: Any, known: Known) -> None:
        self._answer, self._answered_at = answer, known.fetched_at
        self._answers += 1

    @callback
    def _begin(self, key: str) -> None:
        self._run(partial(self._async_write_batch, key))

    @callback
    def _begin_look(self) -> None:
        self._run(self._async_look)

    def _run(self, work: Any) -> None:
        shared = self._context.shared
        shared.entry.async_create_background_task(
            shared.hass, work(), f"Enphase Cloud {self._setting.source}"
        )

    @callback
    def _stop(self) -> None:
        """Begin nothing more, and let nobody wait for it."""
        self._is_stopped = True
        self._look.stop()
        for batch in self._waiting.values():
            batch.timer.stop()
            batch.fail(_not_written())
        self._waiting.clear()

    async def _async_write_batch(self, key: str) -> None:
        async with self._one_by_one:
            # What came meanwhile is written, too.
            if (batch := self._waiting.pop(key, None)) is None:
                return
            batch.timer.stop()
            failure: HomeAssistantError | None = _not_written()
            try:
                await self._async_write(key, batch.fields)
                failure = None
            except HomeAssistantError as err:
                failure = err
            finally:
                # Before those who asked: what they show is what the cloud has.
                self._plan_look()
                self._document.async_update_listeners()
                if failure is None:
                    batch.done.set_result(None)
                else:
                    batch.fail(failure)

    async def _async_write(self, key: str, fields: Fields) -> None:
        """Write fields with all that can be written beside them, and publish that."""
        source = self._setting.source
        raise_if_refused(self._context, source)
        if not self._is_fresh:
            await self._async_read()
        changed = self._changed(key, fields)
        before = self._written.get(key)
        # One change may undo a part of another.
        names = fields.keys() | (before.fields.keys() if before else ())
        wanted = {name: getattr(changed, name, None) for name in names}
        await self._async_keep(key, wanted)
        try:
            await self._async_put(key, wanted, changed.body(), before)
        except EnphaseCloudError as err:
            raise self._explained(as_refusal(err, source)) from None

    def _changed(self, key: str, fields: Fields) -> Any:
        """Return the part with the change; raises where it makes no sense."""
        part = self._setting.part(self._answer, key)
        if part is None:
            raise translated(HomeAssistantError, "setting_is_gone")
        try:
            return self._setting.change(part, fields, self._context.board)
        except RefusedChangeError as err:
            raise _senseless(err) from None

    async def _async_put(
        self, key: str, wanted: Fields, body: Mapping[str, Any], before: Written | None
    ) -> None:
        """Write; where that may have had an effect, look before doing so again."""
        try:
            await self._async_put_once(body)
        except _NOT_WRITTEN:
            self._put_back(key, before)
            raise
        except _UNCERTAIN as err:
            _LOGGER.info("Whether a setting was written is looked for: %s", err)
            # Where that fails, it is looked for later.
            await self._async_read()
            if not self._setting.has(self._answer, key, wanted):
                await self._async_put_once(body)

    async def _async_put_once(self, body: Mapping[str, Any]) -> None:
        shared, system_id = self._context.shared, self._context.info.system_id
        with foreseen(), for_the_user():
            answer = await shared.client.put(
                self._setting.write, body, system_id=system_id
            )
            await self._document.answers.async_take(answer, dt_util.utcnow())

    def _explained(self, err: EnphaseCloudError) -> HomeAssistantError:
        """Return what the user reads, after what follows from an error."""
        source = self._setting.source
        if error_policy(err).consequence in REFUSALS:
            refuse(self._context, source, err)
        if isinstance(err, InvalidRequestError):
            return translated(
                HomeAssistantError, "setting_refused", details=err.details or err
            )
        if isinstance(err, _UNCERTAIN):
            return translated(HomeAssistantError, "setting_uncertain")
        return explained(HomeAssistantError, err, source)

    async def _async_keep(self, key: str, fields: Fields) -> None:
        """Keep what is about to be written, so that a kill does not hide it."""
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
        answers, source = self._answers, self._setting.source
        await self._document.async_refresh_for_user()
        if self._answers != answers:
            return
        raise_if_refused(self._context, source)
        if (err := self._document.last_error) is not None:
            raise explained(HomeAssistantError, err, source)
        raise translated(HomeAssistantError, "setting_is_gone")

    @callback
    def _plan_look(self) -> None:
        due = min((each.due for each in self._written.values()), default=None)
        if due is None or self._is_stopped:
            self._look.stop()
        else:
            self._look.start(max(due - dt_util.utcnow(), AT_ONCE))

    async def _async_look(self) -> None:
        """Look whether the cloud has what was written."""
        async with self._one_by_one:
            now, is_known = dt_util.utcnow(), False
            with suppress(HomeAssistantError):
                await self._async_read()
                is_known = True
            for key, written in [*self._written.items()]:
                has = is_known and self._setting.has(self._answer, key, written.fields)
                if has or written.due <= now:
                    self._put_back(key, None if has else written.not_found())
            self._plan_look()
        self._document.async_update_listeners()


def _senseless(err: RefusedChangeError) -> ServiceValidationError:
    match err.key:
        case "load_is_locked":
            return translated(ServiceValidationError, "load_is_locked")
        case "load_needs_more":
            return translated(ServiceValidationError, "load_needs_more")
    return translated(ServiceValidationError, "reserve_is_full")


def _not_written() -> HomeAssistantError:
    return translated(HomeAssistantError, "setting_not_written")
