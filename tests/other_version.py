"""Run on a Home Assistant that the plugin is not made for: `-p tests.other_version`.

Left out is what does not depend on the version: tests that have neither a Home
Assistant nor connections of ours (each has an aiohttp of its own), and those marked
`thorough`.

Loaded first: the plugin imports httpx before Home Assistant, which 2026.11 does not
allow, and looks for a helper of the logger where it used to be.
"""

from homeassistant.components import logger
from homeassistant.components.logger import helpers
import pytest

if not hasattr(logger, "_clear_logger_overwrites"):
    logger._clear_logger_overwrites = helpers._clear_logger_overwrites


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out what is the same on every Home Assistant."""
    needed: list[pytest.Item] = []
    others: list[pytest.Item] = []
    for item in items:
        (needed if _depends(item) else others).append(item)
    items[:] = needed
    config.hook.pytest_deselected(items=others)


def _depends(item: pytest.Item) -> bool:
    if item.get_closest_marker("thorough") is not None:
        return False
    fixtures = getattr(item, "fixturenames", ())
    is_shipped = "simulator" not in item.path.parts
    return "hass" in fixtures or (is_shipped and "socket_enabled" in fixtures)
