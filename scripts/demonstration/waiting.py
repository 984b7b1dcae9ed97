"""Wait for what will come."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from .processes import DemoError

_PAUSE_SECONDS: Final = 0.2


async def until(
    what: str, condition: Callable[[], Awaitable[bool]], *, seconds: float = 60
) -> None:
    """Wait until a condition holds. Raises DemoError when that takes too long."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                if await condition():
                    return
                await asyncio.sleep(_PAUSE_SECONDS)
    except TimeoutError:
        raise DemoError(f"Waited {seconds:.0f} s in vain until {what}.") from None
