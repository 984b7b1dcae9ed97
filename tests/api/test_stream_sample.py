"""The masked sample of an unreadable stream."""

import json
import re

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.api import StreamSample


def shown(body: str | bytes) -> str:
    """Return the masked beginning of a body."""
    return StreamSample.of(
        "text/plain", body if isinstance(body, bytes) else body.encode()
    ).beginning


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", ""),
        (
            'data: {"pv_power":30,"envoy_serial_number":["1220A"]}\n\n',
            'data: {"pv_power":00,"envoy_serial_number":["0000x"]}⏎⏎',
        ),
        ("id: 7\r\nevent: data\ndata: x", "id: 0⏎event: xxxx⏎data: x"),
        (
            json.dumps(json.dumps({"grid_status": "On Grid"})),
            '"{\\"grid_status\\": \\"xx xxxx\\"}"',
        ),
        ("<html>Sign in, `Zoë`</html>", "<xxxx>xxxx xx, ·xxx·</xxxx>"),
        ('{"8675309": 1, "a@b.c": 2, "x" : 3}', '{"0000000": 0, "x@x.x": 0, "x" : 0}'),
        ("{pv_power: 12}", "{xx_xxxxx: 00}"),
        (b"\xff\x00\x1e{}", "···{}"),
        ("é٣☀", "x0·"),
    ],
)
def test_values_are_masked_but_not_structure(body: str | bytes, expected: str) -> None:
    assert shown(body) == expected


def test_the_first_200_characters_are_shown() -> None:
    assert shown("é" * 500) == "x" * 200


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("text/event-stream", "text/event-stream"),
        ("application/vnd.8675309+json", "application/vnd.0000000+json"),
        ("", "?"),
        ("Zoë", "?"),
        (f"a/{'b' * 100}", "?"),
        ("a/`b`", "?"),
    ],
)
def test_only_a_valid_content_type_is_shown(content_type: str, expected: str) -> None:
    assert StreamSample.of(content_type, b"").content_type == expected


secrets = st.from_regex(r"[A-Za-z]{0,3}[0-9][A-Za-z0-9]{5,20}", fullmatch=True)
words = st.text(st.characters(categories=["L", "N"]), min_size=4)


@given(
    secret=secrets | words,
    frame=st.sampled_from(
        [
            '{"envoy_serial_number":["%s"]}',
            '{"a": %s}',
            "%s",
            "data: %s\n",
            "<a>%s</a>",
            json.dumps('{"token": "%s", "b": 1}'),
            "'%s': 1",
            'id: "%s"',
            '["%s", 1]',
        ]
    ),
    indent=st.integers(0, 190),
)
def test_no_value_is_shown(secret: str, frame: str, indent: int) -> None:
    sample = shown(" " * indent + frame % secret)
    for part in re.findall(r"\w{4,}", secret):
        assert part not in sample or set(part) <= {"x", "0"}
    assert len(sample) <= 200


@given(st.text() | secrets, st.text())
def test_survives_storage(body: str, content_type: str) -> None:
    sample = StreamSample.of(content_type, body.encode(errors="replace"))
    stored = json.loads(json.dumps(sample.as_dict()))
    assert StreamSample.restore(stored) == sample


@pytest.mark.parametrize("stored", [None, [], {}, "x", {"content_type": "text/plain"}])
def test_invalid_stored_samples_are_refused(stored: object) -> None:
    with pytest.raises(ValueError, match="sample"):
        StreamSample.restore(stored)


def test_restored_samples_are_masked_again() -> None:
    stored = {"content_type": "8/9", "beginning": "8675309" * 999}
    sample = StreamSample.restore(stored)
    assert sample == StreamSample("?", "0" * 200)
