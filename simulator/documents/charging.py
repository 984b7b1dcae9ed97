"""Commands to Enphase chargers; only the partner plan includes them."""

from simulator.errors import RefusalError
from simulator.publication import Published

from .changes import Change

_UNKNOWN = "Invalid system_id or serial_no"
_FIELDS = {"connectorId", "chargingLevel"}
_LEVELS = range(101)


def start_charging(published: Published, serial: str, body: object) -> Change:
    """Charge the plugged in car at the level of the body."""
    fields = {} if body is None else body
    if not isinstance(fields, dict) or fields.keys() - _FIELDS:
        raise RefusalError(400, "Invalid body")
    if _number(fields.get("connectorId", "1")) < 1:
        raise RefusalError(400, "Connector Id must be greater than 0")
    level = _number(fields.get("chargingLevel", "100"))
    if level not in _LEVELS:
        raise RefusalError(400, "Charging level should be in the range [0-100]")
    return _command(published, serial, level)


def stop_charging(published: Published, serial: str, body: object) -> Change:
    """Stop charging."""
    del body
    return _command(published, serial, 0)


def _command(published: Published, serial: str, level: int) -> Change:
    system = published.system
    if serial not in {each.serial for each in system.iq_chargers}:
        raise RefusalError(400, _UNKNOWN)
    return Change(
        {"message": "Request sent successfully"},
        lambda now: system.command_charger(serial, level, now),
        202,
    )


def _number(text: object) -> int:
    """Return the whole number of a text, else -1."""
    return int(text) if isinstance(text, str) and text.isdecimal() else -1
