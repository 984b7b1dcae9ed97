"""What was told of the gateway: whether it reports, or since when it is silent."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from ..json_values import moment, optional, record


class ReportingChange(StrEnum):
    """What is new of the gateway; also the type of the event that tells it."""

    LOST = "lost"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class ReportingTold:
    """Whether the gateway was told to report, and its last report before a silence.

    `is_reporting` is None before anything was known.
    """

    is_reporting: bool | None = None
    silent_since: datetime | None = None

    def change(self, *, is_reporting: bool | None) -> ReportingChange | None:
        """Return what is new; None where nothing is, or nothing is known."""
        if is_reporting is None or self.is_reporting in (None, is_reporting):
            return None
        return ReportingChange.RESTORED if is_reporting else ReportingChange.LOST

    def now_told(self, *, is_reporting: bool | None, reported_at: datetime) -> Self:
        """Return what is told from now on."""
        if is_reporting is None or is_reporting is self.is_reporting:
            return self
        silent_since = None if is_reporting else reported_at
        return replace(self, is_reporting=is_reporting, silent_since=silent_since)

    def as_dict(self) -> dict[str, Any]:
        """Return it in a shape that JSON can hold."""
        since = self.silent_since
        return {
            "is_reporting": self.is_reporting,
            "silent_since": since and since.timestamp(),
        }

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Read what `as_dict` returned; raises ValueError where that is damaged."""
        stored = record(data)
        told = stored["is_reporting"]
        if not (told is None or isinstance(told, bool)):
            raise ValueError("Not a truth value")
        return cls(told, optional(moment, stored["silent_since"]))
