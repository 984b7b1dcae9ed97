"""Whether the gateway reports, and since when it is silent, as last notified."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from ..json_values import moment, optional, record


class ReportingChange(StrEnum):
    """How reporting changed; also the type of the event that notifies the user."""

    LOST = "lost"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class ReportingState:
    """The state of the gateway that the user was last notified of.

    `is_reporting` is None before the first known state; `silent_since` is the last
    report before a silence.
    """

    is_reporting: bool | None = None
    silent_since: datetime | None = None

    def change(self, *, is_reporting: bool | None) -> ReportingChange | None:
        """Return the change since the last notification; None if none or unknown."""
        if is_reporting is None or self.is_reporting in (None, is_reporting):
            return None
        return ReportingChange.RESTORED if is_reporting else ReportingChange.LOST

    def updated(self, *, is_reporting: bool | None, reported_at: datetime) -> Self:
        """Return the state after a notification."""
        if is_reporting is None or is_reporting is self.is_reporting:
            return self
        silent_since = None if is_reporting else reported_at
        return replace(self, is_reporting=is_reporting, silent_since=silent_since)

    def as_dict(self) -> dict[str, Any]:
        """Return the state as JSON."""
        since = self.silent_since
        return {
            "is_reporting": self.is_reporting,
            "silent_since": since and since.timestamp(),
        }

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Read what `as_dict` returned; raises ValueError where that is damaged."""
        stored = record(data)
        reporting = stored["is_reporting"]
        if not (reporting is None or isinstance(reporting, bool)):
            raise ValueError("Not a truth value")
        return cls(reporting, optional(moment, stored["silent_since"]))
