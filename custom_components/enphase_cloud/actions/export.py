"""The action that exports recorded energy as CSV, to a file or in its response."""

from datetime import date
from pathlib import Path
from typing import Any, Final

from homeassistant.auth.permissions.const import POLICY_CONTROL, POLICY_READ
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.util.file import WriteError, write_utf8_file_atomic
import voluptuous as vol

from ..coordinator.recorded_energy import async_recorded_energy
from ..data import EnphaseSystem
from ..energy.parsing import system_day
from ..energy.periods import Resolution
from ..energy.readings import Span
from ..energy.recorded import table, to_csv
from ..errors import translated
from ..report import yesterday
from .history import ATTR_FROM, ATTR_RESOLUTION, ATTR_TO
from .report import raise_without_recorder
from .targets import TARGET, async_targeted_systems, of_our_time, response

_ATTR_FILENAME: Final = "filename"
_ATTR_OVERWRITE: Final = "overwrite"
MOST_ROWS: Final = 10_000

SCHEMA: Final = vol.Schema(
    {
        **TARGET,
        vol.Required(ATTR_FROM): vol.All(cv.date, of_our_time),
        vol.Optional(ATTR_TO): vol.All(cv.date, of_our_time),
        vol.Required(ATTR_RESOLUTION): vol.Coerce(Resolution),
        vol.Optional(_ATTR_FILENAME): cv.string,
        vol.Optional(_ATTR_OVERWRITE, default=False): cv.boolean,
    }
)


async def async_export_energy(call: ServiceCall) -> ServiceResponse:
    """Write recorded energy to a file, or return it.

    Raises ServiceValidationError for invalid input, HomeAssistantError if it fails.
    """
    filename: str | None = call.data.get(_ATTR_FILENAME)
    policy = POLICY_READ if filename is None else POLICY_CONTROL
    systems = await async_targeted_systems(call, policy)
    if filename is not None:
        if len(systems) > 1:
            raise translated(ServiceValidationError, "export_of_one_system")
        path = await _async_path(call.hass, filename)
    responses: dict[str, Any] = {}
    for system in systems:
        rows, text = await _async_csv(call, system)
        result: dict[str, Any] = {"rows": rows}
        if filename is not None:
            await _async_write(call, path, text)
            result["filename"] = str(path)
        elif rows > MOST_ROWS:
            raise translated(
                ServiceValidationError, "export_too_long", rows=rows, limit=MOST_ROWS
            )
        else:
            result["csv"] = text
        responses |= response(system, result)
    return responses


async def _async_csv(call: ServiceCall, system: EnphaseSystem) -> tuple[int, str]:
    """Return the number of rows, and the CSV text."""
    raise_without_recorder(system)
    zone = system.info.time_zone
    first: date = call.data[ATTR_FROM]
    last: date = call.data.get(ATTR_TO) or yesterday(system)
    if first > last:
        raise translated(ServiceValidationError, "history_range_empty")
    start, end = system_day(first, zone).start, system_day(last, zone).end
    hours = await async_recorded_energy(call.hass, system.info.system_id, start, end)

    def write() -> tuple[int, str]:
        rows = table(hours, call.data[ATTR_RESOLUTION], Span(start, end - start), zone)
        return len(rows), to_csv(rows, zone, call.hass.config.currency)

    return await call.hass.async_add_executor_job(write)


async def _async_path(hass: HomeAssistant, filename: str) -> Path:
    """Return the path of a file name, relative to Home Assistant's configuration.

    Raises ServiceValidationError where Home Assistant may not write the file.
    """

    def resolve() -> Path | None:
        try:
            path = Path(hass.config.path(filename)).resolve()
            is_allowed = path.suffix == ".csv" and hass.config.is_allowed_path(
                str(path)
            )
        except OSError, ValueError, RuntimeError:
            return None
        return path if is_allowed and path.parent.is_dir() else None

    if (path := await hass.async_add_executor_job(resolve)) is None:
        raise translated(
            ServiceValidationError, "export_not_allowed", filename=filename
        )
    return path


async def _async_write(call: ServiceCall, path: Path, text: str) -> None:
    """Write a file atomically; replace an existing one only with `overwrite`."""

    def write() -> None:
        if not call.data[_ATTR_OVERWRITE]:
            # Creates the file or fails, so that no other program can do so in between.
            path.open("x").close()
            try:
                write_utf8_file_atomic(str(path), text)
            except WriteError:
                path.unlink(missing_ok=True)
                raise
        else:
            write_utf8_file_atomic(str(path), text)

    try:
        await call.hass.async_add_executor_job(write)
    except FileExistsError:
        raise translated(
            ServiceValidationError, "export_exists", filename=path
        ) from None
    except (OSError, WriteError) as err:
        raise translated(
            HomeAssistantError, "export_failed", filename=path, error=err
        ) from None
