"""What was written and is not read back yet, and when settings were refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, Self

from ..json_values import count, moment, optional, record, text
from .catalog import Source

type Fields = Mapping[str, Any]
"""Flags, numbers and words by the names of settings in the models of the client."""

# When to look whether the cloud has what was written.
_LOOKS: Final = (timedelta(minutes=2), timedelta(minutes=10))
# How long settings that were refused rest, at first and from then on.
_RESTS: Final = (timedelta(days=1), timedelta(days=7))


class Written(NamedTuple):
    """What was written at a moment, and how often it was looked for since."""

    fields: Fields
    at: datetime
    looks: int = 0

    @property
    def due(self) -> datetime:
        """Return when to look again."""
        return self.at + _LOOKS[self.looks]

    def not_found(self) -> Self | None:
        """Return what is left to do after a look that did not find it."""
        looks = self.looks + 1
        return self._replace(looks=looks) if looks < len(_LOOKS) else None

    def as_dict(self) -> dict[str, Any]:
        """Return it in a shape that JSON can hold."""
        return {
            "fields": dict(self.fields),
            "at": self.at.timestamp(),
            "looks": self.looks,
        }

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Read what `as_dict` returned; raises ValueError where that is damaged."""
        stored = record(data)
        fields = record(stored["fields"])
        for value in fields.values():
            if not isinstance(value, int):
                text(value)
        looks = count(stored["looks"], most=len(_LOOKS) - 1)
        return cls(dict(fields), moment(stored["at"]), looks)


@dataclass(slots=True)
class SettingsState:
    """What outlives a restart: writes by document and load, and the last refusal."""

    written: dict[Source, dict[str, Written]] = field(default_factory=dict)
    refused_at: datetime | None = None
    refusals: int = 0

    def of(self, source: Source) -> dict[str, Written]:
        """Return what was written of a document, "" or the load being the key."""
        return self.written.setdefault(source, {})

    def refuse(self, now: datetime) -> None:
        """Note that the cloud refused the settings."""
        self.refused_at = now
        self.refusals = min(self.refusals + 1, len(_RESTS))

    def allow(self) -> None:
        """Note that the cloud told or took them."""
        self.refused_at, self.refusals = None, 0

    @property
    def probe_at(self) -> datetime | None:
        """Return when to ask again for what was refused; None where nothing was."""
        if self.refused_at is None or not self.refusals:
            return None
        return self.refused_at + _RESTS[self.refusals - 1]

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
            refusals=count(stored["refusals"], most=len(_RESTS)),
        )
