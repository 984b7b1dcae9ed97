"""Faults that are scheduled for matching requests."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import Literal

type Cut = Literal["before_headers", "after_headers", "mid_body"]
type BodyFault = Literal["html", "empty", "wrong_types", "huge", "not_json", "list"]
type QuotaPeriod = Literal["minute", "month"]
type DataFault = Literal[
    "zero", "null", "dip", "tenfold", "repeat", "gap", "absurd", "strings", "negative"
]
type StreamFault = Literal[
    "absurd",
    "annotated",
    "array",
    "array_in_event",
    "array_streamed",
    "array_wrapped",
    "bare",
    "bom",
    "byte_by_byte",
    "clock_ahead",
    "clock_behind",
    "comments",
    "concatenated",
    "content_type",
    "cr",
    "crlf",
    "double_encoded",
    "double_wrapped",
    "duplicates",
    "empty",
    "endless",
    "error_object",
    "events_as_json",
    "flood",
    "garbage",
    "gzip",
    "html",
    "indented",
    "lines_as_json",
    "lines_with_length",
    "moment_outside",
    "multi_line",
    "ndjson",
    "no_blank_lines",
    "no_newline",
    "other_system",
    "out_of_order",
    "reset",
    "silence",
    "sparse",
    "split",
    "success_code",
    "text_sequence",
    "wrapped",
]


@dataclass(slots=True, kw_only=True, eq=False)
class Fault:
    """A fault: what fails, for which requests and how often.

    Attributes:
        operation: Name of an operation (also `token` and `authorize`), or a pattern
            such as `telemetry_*`.
        system_id: Only requests for this system; None for any.
        after: Process the request first, and apply the fault to its response. Not for
            live streams.
        lost: Respond to a write as usual, but do not change anything.
        skip: How many matching requests to process normally first.
        times: How many requests fail; None until the fault is removed.
        delay: Seconds to wait first.
        status: Respond with this status and the documented body, or with `body` or
            `raw`. For a `stream`, that of the error objects after its first frame.
        details: Replaces the documented text in the body of that response.
        quota: Respond 429 as if the quota of this period were used up.
        hang: Never respond.
        cut: Where the connection breaks.
        body: Respond with an invalid body.
        redirect: Respond 302 to this address.
        raw: Respond with exactly this text.
        expire_code: Invalidate all issued codes first.
        expires_in: The lifetime in an otherwise correct token document, in seconds.
        data: Distort the numbers of the correct document.
        stream: Distort a live stream; see `simulator.live_faults`.
        hits: How many requests failed so far.
    """

    operation: str = "*"
    system_id: int | None = None
    after: bool = False
    lost: bool = False
    skip: int = 0
    times: int | None = None
    delay: float = 0.0
    status: int | None = None
    details: str | None = None
    quota: QuotaPeriod | None = None
    hang: bool = False
    cut: Cut | None = None
    body: BodyFault | None = None
    redirect: str | None = None
    raw: str | None = None
    expire_code: bool = False
    expires_in: int | None = None
    data: DataFault | None = None
    stream: StreamFault | None = None
    hits: int = field(default=0, init=False)

    def applies_to(self, operation: str, system_id: int | None) -> bool:
        """Return whether the fault matches a request."""
        if self.system_id is not None and self.system_id != system_id:
            return False
        return fnmatch(operation, self.operation)


class Faults:
    """All scheduled faults with hits left, oldest first."""

    def __init__(self) -> None:
        """Begin without faults."""
        self._faults: list[Fault] = []

    def __iter__(self) -> Iterator[Fault]:
        """Iterate over the faults with hits left."""
        return iter(self._faults)

    def add(self, fault: Fault) -> Fault:
        """Schedule a fault and return it."""
        self._faults.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        """Remove a fault, if it has hits left."""
        if fault in self._faults:
            self._faults.remove(fault)

    def clear(self) -> None:
        """Remove all faults."""
        self._faults.clear()

    def next_for(self, operation: str, system_id: int | None) -> Fault | None:
        """Return the fault for this request, and count the hit."""
        for fault in self._faults:
            if not fault.applies_to(operation, system_id):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.hits += 1
            if fault.hits == fault.times:
                self._faults.remove(fault)
            return fault
        return None
