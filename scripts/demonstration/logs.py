"""What Home Assistant's log and storage tell about us."""

from collections.abc import Iterable
import json
from pathlib import Path
import re
from typing import Final

from .set_up import DOMAIN

_RECORD: Final = re.compile(
    r"^\d{4}-\d\d-\d\d \S+ (?P<level>[A-Z]+) \(.*?\) \[(?P<logger>[^\]]+)\]"
)
_BAD: Final = {"WARNING", "ERROR", "CRITICAL"}
# Home Assistant says this of every custom integration.
_NOT_TESTED: Final = f"We found a custom integration {DOMAIN} which has not been tested"
_INSTALLING: Final = "Attempting install of"


def complaints(log: str) -> list[str]:
    """Return the warnings and errors that have to do with the integration."""
    return [
        record
        for level, record in _records(log)
        if level in _BAD and DOMAIN in record and _NOT_TESTED not in record
    ]


def installations(log: str) -> list[str]:
    """Return where Home Assistant had to install a package."""
    return [record for _, record in _records(log) if _INSTALLING in record]


def leaks(text: str, secrets: Iterable[str]) -> list[str]:
    """Return the secrets that a text tells, cut short."""
    return [f"{secret[:6]}…" for secret in secrets if secret in text]


def stored_tokens(folder: Path) -> set[str]:
    """Return the tokens that Home Assistant has stored of the integration."""
    entries = json.loads((folder / ".storage" / "core.config_entries").read_text())
    return {
        entry["data"]["token"][kind]
        for entry in entries["data"]["entries"]
        if entry["domain"] == DOMAIN
        for kind in ("access_token", "refresh_token")
    }


def _records(log: str) -> list[tuple[str, str]]:
    """Return the records with their levels; a traceback belongs to its record."""
    records: list[tuple[str, str]] = []
    for line in log.splitlines():
        if match := _RECORD.match(line):
            records.append((match["level"], line))
        elif records:
            level, record = records[-1]
            records[-1] = (level, f"{record}\n{line}")
    return records
