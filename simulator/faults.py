"""Faults: ordered ahead, they befall the requests to which they apply."""

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
    """What shall go wrong, where and how often.

    Attributes:
        operation: Name of an operation (also `token` and `authorize`), or a pattern
            such as `telemetry_*`.
        system_id: Only requests for this system; None for any.
        after: The request is carried out first, and the fault befalls its answer. Not
            for live streams.
        lost: A write is answered as if it took effect, but does not.
        skip: How many matching requests pass unharmed before.
        times: How many requests are hit; None until the fault is removed.
        delay: Seconds to wait before anything else happens.
        status: Answer with this status and the documented body, or with `body` or
            `raw`. Of a `stream`, what its error objects say after its first frame.
        details: What the body of that answer says instead of the documented text.
        quota: Answer 429 as if this period's quota were used up.
        hang: Never answer.
        cut: Where the connection breaks.
        body: Answer with a body that is not what it should be.
        redirect: Answer 302 to this address.
        raw: Answer with exactly this text.
        expire_code: Let all codes that were issued expire before answering.
        expires_in: Of a true token document, what it says of its lifetime in seconds.
        data: Distort the numbers of the true document.
        stream: Distort a live stream; see `simulator.live_faults`.
        hits: How many requests were hit so far.
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
        """Tell whether a request is of the kind that this fault befalls."""
        if self.system_id is not None and self.system_id != system_id:
            return False
        return fnmatch(operation, self.operation)


class Faults:
    """All faults that are ordered and not yet spent, oldest first."""

    def __init__(self) -> None:
        """Begin without faults."""
        self._faults: list[Fault] = []

    def __iter__(self) -> Iterator[Fault]:
        """Iterate over the faults that may still hit."""
        return iter(self._faults)

    def add(self, fault: Fault) -> Fault:
        """Order a fault and return it, to be removed or asked for its hits."""
        self._faults.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        """Withdraw a fault; one that is spent is gone already."""
        if fault in self._faults:
            self._faults.remove(fault)

    def clear(self) -> None:
        """Withdraw all faults."""
        self._faults.clear()

    def next_for(self, operation: str, system_id: int | None) -> Fault | None:
        """Return the fault that hits this request, and count the hit."""
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
