"""Written settings that are not confirmed yet, and refusals of settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, Self

from ..json_values import count, moment, optional, record, text
from .catalog import Source

type Fields = Mapping[str, Any]
"""Flags, numbers and words by the names of settings in the models of the client."""

# When to check that the cloud has what was written.
_CHECKS: Final = (timedelta(minutes=2), timedelta(minutes=10))
# How long to wait after the first refusal, and after each further one.
_WAITS: Final = (timedelta(days=1), timedelta(days=7))


class Written(NamedTuple):
    """What was written at a moment, and how many checks did not find it."""

    fields: Fields
    at: datetime
    checks: int = 0

    @property
    def due(self) -> datetime:
        """Return when the next check is due."""
        return self.at + _CHECKS[self.checks]

    def not_found(self) -> Self | None:
        """Return the state after a check without success; None after the last one."""
        checks = self.checks + 1
        return self._replace(checks=checks) if checks < len(_CHECKS) else None

    def as_dict(self) -> dict[str, Any]:
        """Return it in a shape that JSON can hold."""
        return {
            "fields": dict(self.fields),
            "at": self.at.timestamp(),
            "looks": self.checks,
        }

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Read what `as_dict` returned; raises ValueError where that is damaged."""
        stored = record(data)
        fields = record(stored["fields"])
        for value in fields.values():
            if not isinstance(value, int):
                text(value)
        checks = count(stored["looks"], most=len(_CHECKS) - 1)
        return cls(dict(fields), moment(stored["at"]), checks)


@dataclass(slots=True)
class SettingsState:
    """The stored state: writes by document and load, and the last refusal."""

    written: dict[Source, dict[str, Written]] = field(default_factory=dict)
    refused_at: datetime | None = None
    refusals: int = 0

    def of(self, source: Source) -> dict[str, Written]:
        """Return the writes to a document, by load, or by "" for all of it."""
        return self.written.setdefault(source, {})

    def refuse(self, now: datetime) -> None:
        """Note that the cloud refused the settings."""
        self.refused_at = now
        self.refusals = min(self.refusals + 1, len(_WAITS))

    def allow(self) -> None:
        """Note that the cloud allowed to read or write the settings."""
        self.refused_at, self.refusals = None, 0

    def limit_moments(self, now: datetime) -> None:
        """Replace moments in the future by now: they would block checks."""
        if self.refused_at is not None:
            self.refused_at = min(self.refused_at, now)
        for written in self.written.values():
            for key, each in written.items():
                written[key] = each._replace(at=min(each.at, now))

    @property
    def probe_at(self) -> datetime | None:
        """Return when to request refused settings again; None without a refusal."""
        if self.refused_at is None or not self.refusals:
            return None
        return self.refused_at + _WAITS[self.refusals - 1]

    def as_dict(self) -> dict[str, Any]:
        """Return it in a shape that JSON can hold."""
        return {
            "written": {
                source: {key: each.as_dict() for key, each in dict(written).items()}
                for source, written in dict(self.written).items()
            },
            "refused_at": self.refused_at and self.refused_at.timestamp(),
            "refusals": self.refusals,
        }

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Read what `as_dict` returned; raises ValueError where that is damaged."""
        stored = record(data)
        written = record(stored["written"])
        return cls(
            written={
                source: {
                    text(key): Written.from_dict(each)
                    for key, each in record(written[source]).items()
                }
                for source in Source
                if source in written
            },
            refused_at=optional(moment, stored["refused_at"]),
            refusals=count(stored["refusals"], most=len(_WAITS)),
        )
