"""Parsing event streams into their data."""

from collections.abc import Iterable
from itertools import groupby, pairwise
import re
import tracemalloc

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.api.sse import EVENT_END, EventDataReader


def parse(chunks: Iterable[bytes]) -> list[str]:
    """Return the data of each event; bare lines between events count as one."""
    reader = EventDataReader()
    pieces = [piece for chunk in chunks for piece in reader.feed(chunk)]
    return [
        b"".join(re.sub(rb"\r\n?", b"\n", piece) for piece in event).decode(
            errors="replace"
        )
        for is_end, event in groupby(
            [*pieces, *reader.close()], lambda piece: piece == EVENT_END
        )
        if not is_end
    ]


def reference(stream: bytes) -> list[str]:
    """Read a whole stream, following the text of the standard, as a reference."""
    text = stream.decode("utf-8", errors="replace").removeprefix("\ufeff")
    events = []
    data = ""
    for line in re.split(r"\r\n|\n|\r", text)[:-1]:
        if line == "":
            if data:
                events.append(data)
            data = ""
            continue
        field, _, value = line.partition(":")
        if field == "data":
            data += value.removeprefix(" ") + "\n"
    return events


texts = st.sampled_from(
    [b"", b"1", b" 2", b"\xe2\x82\xac", b"\xe2\x82", b"\xff", b"\0", b"\x0b\xc2\x85:"]
)
fields = st.one_of(
    st.just(b""),
    st.tuples(st.sampled_from([b"data:", b"data: "]), texts).map(b"".join),
    st.just(b"data"),
    st.tuples(
        st.sampled_from([b"event:", b"id: ", b"id", b"retry:", b":", b"Data: ", b"da"]),
        texts,
    ).map(b"".join),
)
bare_lines = st.one_of(
    st.sampled_from([b'{"a":', b"1}", b"[", b"  ]", b"\x1e{}", b'"data: 1"']),
    st.binary(max_size=16),
)


@st.composite
def cut_streams(
    draw: st.DrawFn, lines: st.SearchStrategy[bytes]
) -> tuple[bytes, list[bytes]]:
    """Draw a stream with all elements of the grammar, cut into chunks."""
    ends = st.sampled_from([b"\n", b"\r", b"\r\n", b"\n\n"])
    ended = st.tuples(lines, ends).map(b"".join)
    mark = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    stream = mark + b"".join(draw(st.lists(ended, max_size=16))) + draw(lines)
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    bounds = [0, *cuts, len(stream)]
    return stream, [stream[a:b] for a, b in pairwise(bounds)]


@given(cut_streams(fields))
def test_follows_the_standard_with_any_chunks(
    case: tuple[bytes, list[bytes]],
) -> None:
    stream, chunks = case
    assert parse([*chunks, b"\n\n"]) == reference(stream + b"\n\n")


@given(cut_streams(st.one_of(fields, bare_lines)))
def test_bare_lines_do_not_depend_on_the_chunks(
    case: tuple[bytes, list[bytes]],
) -> None:
    stream, chunks = case
    whole = parse([stream])
    assert parse(chunks) == whole
    assert parse([bytes([byte]) for byte in stream]) == whole


def test_ignores_other_fields() -> None:
    stream = b": hello\nevent: frame\nid: 7\nretry: 3\ndata: one\ndata:two\n\n"
    assert parse([stream]) == ["one\ntwo\n"]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_ignores_one_byte_order_mark_at_the_start(size: int) -> None:
    stream = b"\xef\xbb\xbfdata: 1\n\ndata: 2\n\n"
    chunks = [stream[i : i + size] for i in range(0, len(stream), size)]
    assert parse(chunks) == ["1\n", "2\n"]


def test_returns_data_as_soon_as_it_arrives() -> None:
    reader = EventDataReader()
    assert reader.feed(b"data: 1") == [b"1"]
    assert reader.feed(b"2\r\n\r") == [b"2\r\n", EVENT_END]
    assert reader.feed(b"\nda") == []
    assert reader.feed(b"ta:") == []
    assert reader.feed(b" 3\n") == [b"3\n"]


@pytest.mark.parametrize(
    ("tail", "kept"),
    [
        (b"da", []),
        (b"data", ["\n"]),
        (b"data: 2", ["2"]),
        (b"data: 2\ndata:", ["2\n\n"]),
        (b"\xef", ["\ufffd"]),
    ],
)
def test_returns_unfinished_data_at_the_end(tail: bytes, kept: list[str]) -> None:
    assert parse([b"data: 1\n\n", tail]) == ["1\n", *kept]


def test_bare_lines_are_unchanged() -> None:
    stream = b'{"a": 1}\r\n\r\n  {\n"b": 2}\n[4]\nunknown: {}\n\x1e{}'
    assert "".join(parse([stream])) == '{"a": 1}\n  {\n"b": 2}\n[4]\n\x1e{}'


def test_bare_lines_begin_and_end_an_event() -> None:
    assert parse([b'{"a":\ndata: 1\n{"b":\n']) == ['{"a":\n', "1\n", '{"b":\n']


@pytest.mark.parametrize("line", [b"x", b"{", b"data: 1\n", b":\n", b"data: x"])
def test_memory_is_bounded(line: bytes) -> None:
    reader = EventDataReader()
    chunk = line * (65_536 // len(line))
    tracemalloc.start()
    try:
        for _ in range(128):
            reader.feed(chunk)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * 1024 * 1024
