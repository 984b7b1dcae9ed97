"""Names and descriptions of event types (API operation `event_types`)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Self

from ..api.models import EventType
from ..json_values import moment, record

_LONGEST_NAME: Final = 100
_LONGEST_TEXT: Final = 500
_MOST_TYPES: Final = 5_000
# Requests for single types at one time.
_MOST_REQUESTS: Final = 5
# When to request again: after a failure, and a type that the cloud does not know.
AFTER_FAILURE: Final = timedelta(days=1)
NOT_KNOWN: Final = timedelta(days=30)
# The key of the list of all types; the ids of types are not negative.
_LIST: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class EventText:
    """The name, description and recommended action of a type; None where missing."""

    name: str | None = None
    description: str | None = None
    advice: str | None = None

    @classmethod
    def of(cls, event_type: EventType) -> Self:
        """Return the texts of a type, without control characters, limited in length."""
        return cls(
            name=_cut(event_type.name, _LONGEST_NAME),
            description=_cut(event_type.description, _LONGEST_TEXT),
            advice=_cut(event_type.recommended_action, _LONGEST_TEXT),
        )

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Read a stored text; raises ValueError where that is damaged."""
        stored = record(data)
        return cls(**{name: _text(stored.get(name)) for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class EventTexts:
    """The known types, and when others may be requested again.

    `has_list`: the list of all types was read, so only single types are requested.
    """

    texts: Mapping[int, EventText] = field(default_factory=dict)
    not_before: Mapping[int, datetime] = field(default_factory=dict)
    has_list: bool = False

    def requests(self, wanted: Iterable[int], now: datetime) -> tuple[int | None, ...]:
        """Return the types to request now: None means the list of all types."""
        unknown = sorted({each for each in wanted if each not in self.texts})
        if not unknown:
            return ()
        if not self.has_list:
            return (None,) if self._may_request(_LIST, now) else ()
        single = [each for each in unknown if self._may_request(each, now)]
        return tuple(single[:_MOST_REQUESTS])

    def _may_request(self, event_type: int, now: datetime) -> bool:
        until = self.not_before.get(event_type, now)
        # A clock may have been ahead.
        return not now < until <= now + NOT_KNOWN

    def with_request(self, event_type: int | None, until: datetime) -> Self:
        """Return the state after a request, which is not repeated before `until`."""
        moments = dict(self.not_before)
        moments[_LIST if event_type is None else event_type] = until
        return replace(self, not_before=dict([*moments.items()][-_MOST_TYPES:]))

    def with_response(
        self, event_type: int | None, listed: Iterable[EventType]
    ) -> Self:
        """Return the state after a response; `event_type` is that of the request."""
        texts = {each.event_type_id: EventText.of(each) for each in listed}
        known = dict([*{**self.texts, **texts}.items()][-_MOST_TYPES:])
        resting = {
            key: at for key, at in self.not_before.items() if key not in {*known, _LIST}
        }
        return replace(
            self,
            texts=known,
            not_before=resting,
            has_list=self.has_list or event_type is None,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return it in a shape that JSON can hold."""
        return {
            "texts": {
                str(key): {
                    name: getattr(each, name)
                    for name in EventText.__slots__
                    if getattr(each, name) is not None
                }
                for key, each in self.texts.items()
            },
            "not_before": {
                str(key): at.timestamp() for key, at in self.not_before.items()
            },
            "has_list": self.has_list,
        }

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Read what `as_dict` returned; raises ValueError where that is damaged."""
        stored = record(data)
        texts = record(stored["texts"])
        resting = record(stored["not_before"])
        return cls(
            {int(key): EventText.from_dict(each) for key, each in texts.items()},
            {int(key): moment(at) for key, at in resting.items()},
            stored["has_list"] is True,
        )


def _cut(text: str | None, longest: int) -> str | None:
    if text is None:
        return None
    words = "".join(filter(str.isprintable, " ".join(text.split())))
    return words[:longest].strip() or None


def _text(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise ValueError("Not a text of ours")
    return value
