"""The limit of live streams that the user pays for."""

from contextlib import AsyncExitStack, nullcontext

from homeassistant.util import dt as dt_util

from ..api import LiveStream
from ..api.endpoints import LIVE_DATA
from ..runtime.key_budget import for_the_user
from ..scheduling.live_hours import StreamAllowance
from .base import SystemContext
from .live_errors import NoStreamLeftError


class StreamBudget:
    """The live streams of a month, which all systems of an entry share."""

    def __init__(
        self, context: SystemContext, *, per_month: int, price: float | None
    ) -> None:
        """Begin; `price` is the cost of a stream [USD], None if unknown."""
        self._system_id = context.info.system_id
        self._shared = context.shared
        self._allowance = StreamAllowance(per_month)
        self._price = price

    @property
    def per_month(self) -> int:
        """Return the user's limit of streams in a month."""
        return self._allowance.per_month

    @property
    def left(self) -> int:
        """Return how many streams are left this month."""
        return self._allowance.left(self._used)

    @property
    def left_for_sessions(self) -> int:
        """Return how many of the streams left may be opened by schedule."""
        return self._allowance.left_for_sessions(self._used)

    @property
    def _used(self) -> int:
        """Return the streams opened this month; each is stored before it opens."""
        calls = self._shared.budget.ledger.by_operation(dt_util.utcnow())
        return calls.get(LIVE_DATA.name, 0)

    def cost(self, streams: int) -> float | None:
        """Return the cost of streams [USD], None if unknown."""
        return None if self._price is None else round(streams * self._price, 2)

    async def async_open(
        self, stack: AsyncExitStack, *, seconds: int, for_user: bool
    ) -> LiveStream:
        """Open a stream, which the stack closes.

        Raises NoStreamLeftError, or the client's errors.
        """
        # One at a time, because systems share the streams that are left.
        async with self._shared.live_opening:
            if not self.left:
                raise NoStreamLeftError(self.per_month)
            with for_the_user() if for_user else nullcontext():
                return await stack.enter_async_context(
                    self._shared.client.stream(self._system_id, duration=seconds)
                )
