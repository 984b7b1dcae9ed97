"""Bytes to server-sent events."""

from collections.abc import Iterable
from itertools import pairwise
import re
import tracemalloc

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.api import SseEvent, SseParser

LIMIT = 64


def parse(chunks: Iterable[bytes], **options: object) -> list[SseEvent]:
    """Feed a parser, and end the stream."""
    parser = SseParser(**options)  # type: ignore[arg-type]
    events = [event for chunk in chunks for event in parser.feed(chunk)]
    return events + parser.close()


def reference(stream: bytes) -> list[SseEvent]:
    """Read a whole stream word for word as the standard tells."""
    text = stream.decode("utf-8", errors="replace").removeprefix("\ufeff")
    lines = re.split(r"\r\n|\n|\r", text)
    events = []
    data = event_type = last_id = ""
    for line in lines[:-1]:
        if line == "":
            if data:
                events.append(
                    SseEvent(data.removesuffix("\n"), event_type or "message", last_id)
                )
            data = event_type = ""
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            data += value + "\n"
        elif field == "event":
            event_type = value
        elif field == "id" and "\0" not in value:
            last_id = value
    return events


texts = st.sampled_from(
    [b"", b"1", b" 2", b"\xe2\x82\xac", b"\xe2\x82", b"\xff", b"\0", b"\x0b\xc2\x85:"]
)
lines = st.one_of(
    st.just(b""),
    st.tuples(st.sampled_from([b"data:", b"data: ", b"data"]), texts).map(b"".join),
    st.tuples(
        st.sampled_from([b"event:", b"id: ", b"id", b"retry:", b":", b"{", b"Data: "]),
        texts,
    ).map(b"".join),
    st.binary(max_size=16),
)
# Streams that meet at every corner of the grammar.
streams = st.tuples(
    st.sampled_from([b"", b"\xef\xbb\xbf", b"\xef\xbb"]),
    st.lists(
        st.tuples(lines, st.sampled_from([b"\n", b"\r", b"\r\n", b"\n\n"])).map(
            b"".join
        ),
        max_size=16,
    ).map(b"".join),
    lines,
).map(b"".join)


@st.composite
def cut_streams(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """Draw a stream and a way to cut it into chunks."""
    stream = draw(streams)
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    bounds = [0, *cuts, len(stream)]
    return stream, [stream[a:b] for a, b in pairwise(bounds)]


@given(cut_streams())
def test_follows_the_standard_however_a_stream_is_cut(
    case: tuple[bytes, list[bytes]],
) -> None:
    stream, chunks = case
    assert parse(chunks) == reference(stream)


@given(case=cut_streams(), lenient=st.booleans())
def test_limits_and_leniency_do_not_depend_on_the_cuts(
    *, case: tuple[bytes, list[bytes]], lenient: bool
) -> None:
    stream, chunks = case
    results = []
    for fed in (chunks, [stream], [bytes([byte]) for byte in stream]):
        parser = SseParser(lenient=lenient, size_limit=12)
        events = [event for chunk in fed for event in parser.feed(chunk)]
        results.append((events + parser.close(), parser.dropped))
    assert results[0] == results[1] == results[2]
    assert all(len(event.data.encode()) <= 3 * 12 for event in results[0][0])


def test_reads_every_field() -> None:
    stream = b": hello\nevent: frame\nid: 7\nretry: 3\ndata: one\ndata:two\n\n"
    assert parse([stream]) == [SseEvent(data="one\ntwo", event="frame", id="7")]


def test_remembers_the_id_but_not_the_type() -> None:
    events = parse([b"id: 7\nevent: frame\ndata: 1\n\ndata: 2\n\n"])
    assert events[1] == SseEvent(data="2", event="message", id="7")


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_ignores_one_byte_order_mark_at_the_start(size: int) -> None:
    stream = b"\xef\xbb\xbfdata: 1\n\xef\xbb\xbfdata: 2\n\n"
    chunks = [stream[i : i + size] for i in range(0, len(stream), size)]
    assert parse(chunks) == [SseEvent("1", "message", "")]


def test_ignores_an_id_with_a_null() -> None:
    assert parse([b"id: 7\nid: a\0b\ndata: 1\n\n"])[0].id == "7"


def test_delivers_an_event_as_soon_as_its_blank_line_is_there() -> None:
    parser = SseParser()
    assert parser.feed(b"data: 1\r\n\r") == [SseEvent("1", "message", "")]
    assert parser.feed(b"\ndata: 2\r\n\r\n") == [SseEvent("2", "message", "")]


@pytest.mark.parametrize("tail", [b"data: 2", b"data: 2\n", b"data: 2\r\ndata: 3\r\n"])
def test_discards_what_the_end_cuts_off(tail: bytes) -> None:
    assert parse([b"data: 1\n\n" + tail]) == [SseEvent("1", "message", "")]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r", b"\r\n"])
def test_keeps_what_the_end_cuts_off_when_lenient(end: bytes) -> None:
    events = parse([b"data: 1\n\ndata: 2" + end], lenient=True)
    assert [event.data for event in events] == ["1", "2"]


def test_takes_bare_json_for_events_only_when_lenient() -> None:
    stream = b'{"a": 1}\n{"b": 2}\r\ndata: {"c": 3}\n\n[4]\n{"d": 4}'
    assert [event.data for event in parse([stream])] == ['{"c": 3}']
    assert [event.data for event in parse([stream], lenient=True)] == [
        '{"a": 1}',
        '{"b": 2}',
        '{"c": 3}',
        '{"d": 4}',
    ]


@pytest.mark.parametrize(
    "large",
    [
        b"data: " + b"x" * LIMIT + b"\n\n",
        b": " + b"x" * LIMIT + b"\ndata: 2\n\n",
        b"data: 2\nevent: " + b"x" * LIMIT + b"\n\n",
        (b"data: " + b"x" * 20 + b"\n") * 4 + b"\n",
    ],
    ids=["data line", "comment", "type", "many data lines"],
)
def test_drops_only_the_event_that_is_too_large(large: bytes) -> None:
    parser = SseParser(size_limit=LIMIT)
    events = parser.feed(b"data: 1\n\n" + large + b"data: 3\n\n")
    assert [event.data for event in events] == ["1", "3"]
    assert parser.dropped == 1


@pytest.mark.parametrize("size", [1, LIMIT, 1000])
def test_keeps_an_event_that_is_just_not_too_large(size: int) -> None:
    parser = SseParser(size_limit=LIMIT)
    data = "x" * (LIMIT - len("data: "))
    stream = f"data: {data}\n\n".encode()
    chunks = [stream[i : i + size] for i in range(0, len(stream), size)]
    assert [event.data for chunk in chunks for event in parser.feed(chunk)] == [data]
    assert parser.dropped == 0


def test_keeps_lines_that_are_together_just_not_too_large() -> None:
    parser = SseParser(size_limit=LIMIT)
    data = ["x" * (LIMIT // 4 - 1)] * 4
    stream = "".join(f"data: {line}\n" for line in data) + "\n"
    assert parser.feed(stream.encode())[0].data == "\n".join(data)
    parser.feed(b"data\n" + stream.encode())
    assert parser.dropped == 1


@pytest.mark.parametrize("line", [b"x", b"data: 1\n", b":\n"])
def test_memory_is_bounded_whatever_comes(line: bytes) -> None:
    parser = SseParser()
    chunk = line * (65_536 // len(line))
    tracemalloc.start()
    try:
        for _ in range(128):
            parser.feed(chunk)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * 1024 * 1024
