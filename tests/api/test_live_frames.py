"""Parsing bytes of a live stream into frames."""

from datetime import UTC, datetime
from itertools import pairwise
import json
import re
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.api import (
    ApiError,
    LiveFrame,
    MonthQuotaError,
    ServiceUnreachableError,
)
from custom_components.enphase_cloud.api.live_frames import LiveFrameReader

SYSTEM_ID = 8_675_309
START = datetime(2026, 6, 1, 12, tzinfo=UTC)


def moment(number: int) -> dict[str, Any]:
    """Return when a frame was measured."""
    return {"timestamp_epoch": int(START.timestamp() + number) * 1000}


def measured(number: int) -> dict[str, Any]:
    """Return the measurements of a frame."""
    return {"pv_power": number, "system_id": SYSTEM_ID, "grid_status": "On Grid"}


def frame(number: int) -> dict[str, Any]:
    """Return a frame in the format of the cloud."""
    return {"type": "response", **moment(number), "data": measured(number)}


def lines(*objects: object, before: str = "", after: str = "\n") -> bytes:
    """Return objects as JSON, each with a prefix and a suffix."""
    return "".join(f"{before}{json.dumps(one)}{after}" for one in objects).encode()


def events(*objects: object) -> bytes:
    """Return objects as events."""
    return lines(*objects, before="data: ", after="\n\n")


def read(body: bytes, size: int = 10_000) -> tuple[list[int | None], int]:
    """Return production of frames, and the number of other objects."""
    reader = LiveFrameReader(SYSTEM_ID)
    frames: list[LiveFrame] = []
    for at in range(0, len(body), size):
        frames += reader.feed(body[at : at + size])
    reader.close()
    return [found.production for found in frames], reader.skipped


FRAMES = [frame(1), frame(2)]
INDENTED = json.dumps(frame(1), indent=2), json.dumps(frame(2), indent=2)
FRAMINGS = {
    "events": events(*FRAMES),
    "events of one line each": lines(*FRAMES, before="data:"),
    "events that end with the stream": events(*FRAMES).rstrip(),
    "events with other fields": events(*FRAMES).replace(
        b"data: ", b"id: {}\n:{\ndata: "
    ),
    "indented events": b"".join(
        "".join(f"data: {line}\n" for line in one.splitlines()).encode() + b"\n"
        for one in INDENTED
    ),
    "array in events": events([frame(1)], [frame(2)]),
    "array over events": b"data: [\n\ndata: "
    + lines(frame(1)).strip()
    + b",\n\ndata: "
    + lines(frame(2)).strip()
    + b"\n\ndata: ]\n\n",
    "lines": lines(*FRAMES),
    "array": lines(FRAMES),
    "array that continues": lines(FRAMES).replace(b"]", b","),
    "array in a line each": lines([frame(1)], [frame(2)]),
    "indented array": json.dumps(FRAMES, indent=4).encode(),
    "indented": "\n".join(INDENTED).encode(),
    "indented, blank lines": "\n\n".join(INDENTED).encode(),
    "concatenated": lines(*FRAMES, after=""),
    "sequence of RFC 7464": lines(*FRAMES, before="\x1e"),
    "carriage returns": lines(*FRAMES, after="\r"),
    "strings": lines(*map(json.dumps, FRAMES)),
    "strings in events": events(*map(json.dumps, FRAMES)),
    "byte order mark": b"\xef\xbb\xbf" + lines(*FRAMES),
}
WRAPPINGS: dict[str, list[Any]] = {
    "wrapped": [{"data": one} for one in FRAMES],
    "bare": [moment(n) | measured(n) for n in (1, 2)],
    "list": [moment(n) | {"data": [measured(n)]} for n in (1, 2)],
    "list of both": [{"data": FRAMES}],
    "list in a wrapper": [{"data": {"data": [frame(n)]}} for n in (1, 2)],
    "string": [moment(n) | {"data": json.dumps(measured(n))} for n in (1, 2)],
    "moment outside": [moment(n) | {"data": {"data": measured(n)}} for n in (1, 2)],
    "moment inside": [{"data": moment(n) | measured(n)} for n in (1, 2)],
    "success": [
        {"code": 200, "message": "Success", "error": None, "data": one}
        for one in FRAMES
    ],
    "zero": [
        {"code": 0, "message": "", "error": {"code": 0}, "data": one} for one in FRAMES
    ],
}


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize("framing", FRAMINGS)
def test_frames_are_read_in_every_framing(framing: str, size: int) -> None:
    productions, skipped = read(FRAMINGS[framing], size)
    assert productions == [1, 2]
    assert skipped == (2 if framing == "array over events" else 0)


@pytest.mark.parametrize("write", [lines, events])
@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_frames_are_read_in_every_wrapping(wrapping: str, write: Any) -> None:
    assert read(write(*WRAPPINGS[wrapping])) == ([1, 2], 0)


@pytest.mark.parametrize("other", [SYSTEM_ID + 1, str(SYSTEM_ID + 1), 1.0])
@pytest.mark.parametrize("where", ["beside", "around"])
def test_a_frame_of_another_system_is_skipped(where: str, other: object) -> None:
    foreign = (
        moment(1) | {"data": measured(1) | {"system_id": other}}
        if where == "beside"
        else {"system_id": other, "data": moment(1) | {"data": {"pv_power": 1}}}
    )
    assert read(events(foreign, frame(2))) == ([2], 1)


@pytest.mark.parametrize("own", [SYSTEM_ID, str(SYSTEM_ID), None, "", "mine", []])
def test_a_frame_may_lack_its_system_id(own: object) -> None:
    assert read(events(moment(1) | measured(1) | {"system_id": own})) == ([1], 0)


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ({"code": 200, "message": "Success"}, ApiError),
        ({"code": 200, "message": "Success", "data": []}, ApiError),
        ({"code": 551, "message": "No", "data": measured(1)}, ServiceUnreachableError),
        ({"error": {"code": 551}} | frame(1), ServiceUnreachableError),
        ({"data": [{"error": "gone"}]}, ApiError),
        ({"data": {"code": 429, "message": "", "period": "month"}}, MonthQuotaError),
        ([[{"error": {"status": "SERVICE_UNREACHABLE"}}]], ServiceUnreachableError),
    ],
)
@pytest.mark.parametrize("write", [lines, events])
def test_errors_come_in_every_wrapping(
    document: object, error: type[ApiError], write: Any
) -> None:
    reader = LiveFrameReader(SYSTEM_ID)
    assert [one.production for one in reader.feed(write(frame(1)))] == [1]
    with pytest.raises(ApiError) as raised:
        list(reader.feed(write(document)))
    assert type(raised.value) is error


def reference(body: bytes) -> list[int | None]:
    """Read a valid stream as a reference: strip fields, decode, unwrap."""
    text = body.decode().removeprefix("\ufeff")
    data = "".join(
        line.removeprefix("data:") + "\n"
        for line in re.split(r"\r\n|\r|\n", text)
        if not re.match("(:|id|event|retry)", line)
    )
    return _productions(data)


def _productions(value: Any) -> list[int | None]:
    match value:
        case str():
            decoder, at, found = json.JSONDecoder(), 0, []
            while match := re.compile('[{"]').search(value, at):
                one, at = decoder.raw_decode(value, match.start())
                found += _productions(one)
            return found
        case list():
            return [one for item in value for one in _productions(item)]
        case {"data": inner}:
            return _productions(inner)
    return [value["pv_power"]]


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """Draw a stream with any mixture of framings, cut into chunks."""
    body = b""
    for number in range(draw(st.integers(1, 5))):
        one: Any = draw(
            st.sampled_from(
                (
                    frame(number),
                    [frame(number)],
                    {"data": frame(number)},
                    moment(number) | {"data": [measured(number)]},
                )
            )
        )
        if draw(st.booleans()):
            one = json.dumps(one)
        text = json.dumps(one, indent=draw(st.sampled_from([None, 0, 2])))
        if draw(st.booleans()):
            text = "".join(f"data: {line}\n" for line in text.splitlines())
        body += text.encode() + draw(st.sampled_from([b"\n\n", b"\r\r", b"\n:{\n\n"]))
    cuts = sorted(draw(st.lists(st.integers(0, len(body)), max_size=12)))
    return body, [body[a:b] for a, b in pairwise([0, *cuts, len(body)])]


@given(streams())
def test_the_result_does_not_depend_on_the_chunks(
    case: tuple[bytes, list[bytes]],
) -> None:
    body, chunks = case
    reader = LiveFrameReader(SYSTEM_ID)
    found = [one.production for chunk in chunks for one in reader.feed(chunk)]
    assert found == reference(body)
    assert reader.skipped == 0


@pytest.mark.parametrize("rest", [b"data", b"data: ", b'data: {"a', b"[{", b'{"a": 1'])
def test_an_incomplete_frame_at_the_end_is_skipped(rest: bytes) -> None:
    assert read(events(frame(1)) + rest) == ([1], 1)


def test_the_sample_is_the_beginning_of_the_stream() -> None:
    reader = LiveFrameReader(SYSTEM_ID)
    for _ in range(99):
        assert list(reader.feed(b'data: {"pv_power": "a lot"}\n\n')) == []
    assert not reader.has_message
    sample = reader.sample("text/event-stream")
    assert sample.content_type == "text/event-stream"
    assert sample.beginning.startswith('data: {"pv_power": "x xxx"}⏎⏎data: {"pv_')
    assert len(sample.beginning) == 200
