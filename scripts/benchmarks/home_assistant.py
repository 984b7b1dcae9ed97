"""A Home Assistant in this process, as Home Assistant's own tests start it."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager
import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from unittest.mock import patch

from aiohttp import ThreadedResolver
from homeassistant.components.application_credentials import (
    ClientCredential,
    async_import_client_credential,
)
from homeassistant.core import HomeAssistant
from homeassistant.loader import DATA_CUSTOM_COMPONENTS
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_test_home_assistant,
)

from custom_components.enphase_cloud.const import (
    CONF_CALLS_PER_MINUTE,
    CONF_CALLS_PER_MONTH,
    CONF_LIVE_STREAM,
    CONF_PLAN,
    PLAN_CUSTOM,
)
from tests.world import CLIENT_ID, CLIENT_SECRET

PLENTY: Final = {
    CONF_PLAN: PLAN_CUSTOM,
    CONF_CALLS_PER_MINUTE: 100_000,
    CONF_CALLS_PER_MONTH: 100_000_000,
    CONF_LIVE_STREAM: True,
}
"""Options of an entry without limits."""


class _Resolver(ThreadedResolver):
    """Resolves names without mDNS, as in Home Assistant's own tests."""

    real_close = ThreadedResolver.close


@contextmanager
def configuration() -> Generator[Path]:
    """Create a configuration folder with the integration installed."""
    with TemporaryDirectory() as folder:
        installed = Path(folder, "custom_components")
        installed.symlink_to(Path(__file__).parents[2] / "custom_components")
        yield Path(folder)


@asynccontextmanager
async def home_assistant(folder: Path) -> AsyncGenerator[HomeAssistant]:
    """Start Home Assistant in a folder; stop it as a restart does."""
    with (
        patch(
            "homeassistant.helpers.aiohttp_client._async_make_resolver",
            return_value=_Resolver(),
        ),
        # No server: nobody connects, and another process may use the port.
        patch("homeassistant.components.http.HomeAssistantHTTP.async_bind"),
    ):
        async with async_test_home_assistant(config_dir=str(folder)) as hass:
            try:
                yield hass
            finally:
                await hass.async_stop(force=True)


@asynccontextmanager
async def home_with(entry: MockConfigEntry) -> AsyncGenerator[HomeAssistant]:
    """Start Home Assistant with a config entry that is not set up yet."""
    with configuration() as folder:
        async with home_assistant(folder) as hass:
            hass.data.pop(DATA_CUSTOM_COMPONENTS)
            await async_setup_component(hass, "application_credentials", {})
            credential = ClientCredential(CLIENT_ID, CLIENT_SECRET)
            await async_import_client_credential(
                hass, entry.domain, credential, entry.domain
            )
            entry.add_to_hass(hass)
            yield hass


def in_a_loop[ResultT](
    measurement: Coroutine[Any, Any, ResultT],
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> ResultT:
    """Run a measurement in a new event loop, without Home Assistant's test logging."""
    logging.disable(logging.ERROR)
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(measurement)


def in_a_process[**P, ResultT](
    measure: Callable[P, Coroutine[Any, Any, ResultT]],
    *arguments: P.args,
    **named: P.kwargs,
) -> ResultT:
    """Run a measurement in a process; picklable, as it is a function of a module."""
    return in_a_loop(measure(*arguments, **named))
