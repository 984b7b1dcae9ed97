"""Messages of a live stream: its JSON objects without their wrappers."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from .json_stream import JsonObject, objects_in
from .models.convert import to_objects
from .models.live_frame import FRAME_FIELDS

_ERROR_FIELDS: Final = frozenset(
    {
        "code",
        "details",
        "error",
        "error_description",
        "limit",
        "message",
        "period",
        "period_end",
        "period_start",
        "reason",
        "status",
    }
)
_FIELDS: Final = FRAME_FIELDS | _ERROR_FIELDS
# Per object. More wrappers would block the event loop too long.
_MOST_WRAPPERS: Final = 2_000


def messages_of(document: JsonObject) -> Iterator[Mapping[str, Any]]:
    """Yield the messages that `data` wraps, at any depth, single or in arrays.

    A message has the fields of one object, and the fields of its wrappers that the
    object lacks. Fields other than those of frames and errors are removed. If an object
    has more than 2,000 wrappers, an empty message is the last one.
    """
    waiting: list[tuple[Mapping[str, Any], JsonObject]] = [({}, document)]
    for _ in range(_MOST_WRAPPERS):
        if not waiting:
            return
        outer, wrapper = waiting.pop()
        own = {
            name: wrapper[name]
            for name in wrapper.keys() & _FIELDS
            if wrapper[name] is not None
        }
        message = {**outer, **own}
        wrapped = list(islice(_objects(wrapper.get("data")), _MOST_WRAPPERS))
        waiting += [(message, inner) for inner in reversed(wrapped)]
        if not wrapped:
            yield message
    yield {}


def _objects(data: object) -> Iterator[JsonObject]:
    return iter(objects_in(data)) if isinstance(data, str) else to_objects(data)
