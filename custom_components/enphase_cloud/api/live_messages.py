"""Messages of a live stream: what its JSON objects say, without their wrappers."""

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
# Of one object. To look at more of them would keep the event loop waiting.
_MOST_WRAPPERS: Final = 2_000


def messages_of(document: JsonObject) -> Iterator[Mapping[str, Any]]:
    """Yield the messages that `data` wraps, to any depth, one by one or as arrays.

    A message is one object: its own fields, and those of the wrappers around it that
    it lacks itself. Only the fields of frames and errors are in it. An object with more
    wrappers than live data has ends in a message that is empty.
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
