"""JSON objects in a text that arrives in pieces."""

from collections.abc import Iterable
from itertools import pairwise
import json
import time
import tracemalloc
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.api.json_stream import JsonReader, objects_in

FRAME = {"a": 1, "b": {"c": ['x"}', "é\\"]}}
OTHER = {"a": [{"b": {}}, []]}
LIMIT = 64


def read(chunks: Iterable[bytes], **options: int) -> tuple[list[Any], int]:
    """Return the objects of a text, and the number of unreadable values."""
    reader = JsonReader(**options)
    objects = [found for chunk in chunks for found in reader.feed(chunk)]
    reader.end()
    return objects, reader.unreadable


def cut(text: bytes, size: int) -> list[bytes]:
    """Cut a text into pieces."""
    return [text[i : i + size] for i in range(0, len(text), size)]


def dumps(*values: object, between: str = "", **options: Any) -> str:
    """Return values as JSON."""
    options.setdefault("ensure_ascii", False)
    return between.join(json.dumps(value, **options) for value in values)


FRAMINGS = {
    "lines": dumps(FRAME, OTHER, between="\n"),
    "escaped": dumps(FRAME, OTHER, between="\n", ensure_ascii=True),
    "concatenated": dumps(FRAME, OTHER),
    "indented": dumps(FRAME, OTHER, indent=2),
    "flush": dumps(FRAME, OTHER, between="\n", indent=0),
    "array": dumps([FRAME, OTHER]),
    "indented array": dumps([FRAME, OTHER], indent=2),
    "nested arrays": dumps([[FRAME], [[OTHER]]]),
    "array without an end": dumps([FRAME, OTHER])[:-1],
    "sequence": "\x1e" + dumps(FRAME, OTHER, between="\n\x1e") + "\n",
    "strings": dumps(dumps(FRAME), dumps(OTHER), between="\n"),
    "strings in strings": dumps(dumps(dumps(FRAME, OTHER))),
    "array of strings": dumps([dumps(FRAME), dumps([OTHER])]),
    "with what separates them": f"data: {dumps(FRAME)}; {dumps(OTHER)} bye",
}


@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
@pytest.mark.parametrize("framing", FRAMINGS)
def test_reads_objects_in_every_framing(framing: str, size: int) -> None:
    chunks = cut(FRAMINGS[framing].encode(), size)
    assert read(chunks) == ([FRAME, OTHER], 0)


@pytest.mark.parametrize(
    "bad",
    [
        '{"a": \n',
        '{"a": 1\n',
        "{\n",
        '{"a\n',
        '{"a\\\n',
        '"a\n',
        '"words"',
        "{]",
        '{"a": 1"}\n',
        '{"a": hello}',
        '{"a": {{}\n',
        '\x1e{"a": {"b": \x1e',
        '{"a": "\x1e',
        f'{{"a": {"9" * 5000}}}',
        '{"a": ' + "[" * 90_000 + "]" * 90_000 + "}",
        '"\\ud800"',
    ],
)
@pytest.mark.parametrize("size", [1, 1_000_000])
def test_unreadable_values_are_counted_and_skipped(bad: str, size: int) -> None:
    text = dumps(FRAME) + bad + dumps(OTHER, OTHER, between="\n")
    objects, unreadable = read(cut(text.encode(), size))
    assert objects[0] == FRAME
    assert objects[-1] == OTHER
    assert unreadable == 1


def test_invalid_utf8_is_replaced() -> None:
    assert read([b'{"a": "\xff", "b": 1}']) == ([{"a": "\ufffd", "b": 1}], 0)


@pytest.mark.parametrize("text", ["", " \n", "hello", "[]", "[1, null]", '{"a": 1'])
def test_a_text_without_an_object_counts_once(text: str) -> None:
    reader = JsonReader()
    for number in range(1, 3):
        assert reader.feed(text.encode()) == []
        reader.end()
        assert reader.unreadable == number
    assert reader.feed(b'{"a": 1}') == [{"a": 1}]


@pytest.mark.parametrize("size", [1, 10_000])
def test_drops_only_the_object_that_is_too_large(size: int) -> None:
    large = {"a": "x" * LIMIT, "b": {"c": 1}}
    just = {"a": "x" * (LIMIT - len(dumps({"a": ""})))}
    text = dumps(just, large, just, between="\n").encode()
    assert read(cut(text, size), size_limit=LIMIT) == ([just, just], 1)


pieces = st.one_of(
    st.sampled_from(list('{}[]",:\\\n\r\x1e 1é')),
    st.sampled_from([*FRAMINGS.values(), '{"a":', '"b"', dumps(dumps({}))]),
    st.text(max_size=4),
)


@st.composite
def cut_texts(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """Draw a text that may be damaged anywhere, cut into pieces."""
    text = "".join(draw(st.lists(pieces, max_size=10))).encode(errors="replace")
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=12)))
    return text, [text[a:b] for a, b in pairwise([0, *cuts, len(text)])]


@given(case=cut_texts(), size_limit=st.sampled_from([8, 40, 1_000]))
def test_the_result_does_not_depend_on_the_pieces(
    case: tuple[bytes, list[bytes]], size_limit: int
) -> None:
    text, chunks = case
    whole = read([text], size_limit=size_limit)
    assert read(chunks, size_limit=size_limit) == whole
    assert read(cut(text, 1), size_limit=size_limit) == whole


def reference(text: str) -> list[Any]:
    """Decode all values in order, as a reference."""
    decoder = json.JSONDecoder()
    objects: list[Any] = []
    at = 0
    while at < len(text):
        if text[at] not in '{"':
            at += 1
            continue
        value, at = decoder.raw_decode(text, at)
        objects += reference(value) if isinstance(value, str) else [value]
    return objects


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner)
    ),
    max_leaves=8,
)
sound = st.dictionaries(st.text(max_size=3), values, max_size=4)


@given(
    objects=st.lists(sound, max_size=5),
    between=st.sampled_from(["", "\n", ",", "\r\n\r\n", "\x1e", "]["]),
    indent=st.sampled_from([None, 0, 2]),
    is_ascii=st.booleans(),
    wraps=st.integers(0, 2),
)
def test_reads_what_a_decoder_reads(
    *,
    objects: list[Any],
    between: str,
    indent: int | None,
    is_ascii: bool,
    wraps: int,
) -> None:
    text = dumps(*objects, between=between, indent=indent, ensure_ascii=is_ascii)
    for _ in range(wraps):
        text = dumps(text)
    found, _ = read(cut(text.encode(errors="replace"), 3))
    assert found == reference(text.encode(errors="replace").decode())
    assert len(found) == len(objects)


@pytest.mark.parametrize(
    "pattern",
    ["{", "[", '"', "\\", '{"a":', '{"data":[', "{},", '""', '"\\"', " ", "\n", '{"'],
)
@pytest.mark.parametrize("before", ["", '{"a":"', '{"a":['])
def test_time_and_memory_are_bounded(pattern: str, before: str) -> None:
    reader = JsonReader()
    chunk = (pattern * 4096)[:4096].encode()
    slowest = 0.0
    reader.feed(before.encode())
    tracemalloc.start()
    try:
        for _ in range(80):
            began = time.thread_time()
            reader.feed(chunk)
            slowest = max(slowest, time.thread_time() - began)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert slowest < 0.1
    assert peak < 8 * 1024 * 1024


def test_objects_in_a_whole_text() -> None:
    assert objects_in(f"[{dumps(FRAME)}]") == [FRAME]
    assert objects_in("\ud800") == []
    assert len(objects_in("{}" * 100_000)) == 2_000
