"""Run on a Home Assistant that the plugin is not made for: `-p tests.other_version`.

Left out is what does not depend on the version: all tests without a Home Assistant, and
those marked `thorough`, which play again what another test plays once.

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
        is_needed = "hass" in getattr(item, "fixturenames", ())
        is_needed = is_needed and item.get_closest_marker("thorough") is None
        (needed if is_needed else others).append(item)
    items[:] = needed
    config.hook.pytest_deselected(items=others)
