"""Let the test plugin, made for 2026.10, run on Home Assistant 2026.11.

Loaded first by `-p tests.newest`. The plugin imports httpx before Home Assistant, which
2026.11 does not allow, and looks for a helper of the logger where it used to be.
"""

from homeassistant.components import logger
from homeassistant.components.logger import helpers

if not hasattr(logger, "_clear_logger_overwrites"):
    logger._clear_logger_overwrites = helpers._clear_logger_overwrites
