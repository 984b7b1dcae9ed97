"""The masked beginning of an unreadable live stream, for diagnostics."""

from collections.abc import Mapping
import re
from typing import Final, NamedTuple, Self

_SHOWN_CHARACTERS: Final = 200
SAMPLE_BYTES: Final = 4 * _SHOWN_CHARACTERS
"""The most bytes that the shown characters take."""

_CONTENT_TYPE: Final = re.compile(r"[a-z.+-]{1,40}/[a-z0.+-]{1,60}")
# Only names of JSON members and event fields are kept. All else may be a secret.
_PARTS: Final = re.compile(
    r"""
    (?P<name> (?<=") [A-Za-z]{1,20} (?:_[A-Za-z]{1,20}){0,4} (?=\\{0,8}"\s{0,8}:) )
    | (?P<field> (?:^|(?<=⏎)) (?:data|event|id|retry) (?=:) )
    | (?P<digit> \d )
    | (?P<letter> [^\W_] )
    | (?P<line_end> \r\n | [\r\n] )
    | (?P<mark> [^\x20-\x7e⏎] | ` )
    """,
    re.MULTILINE | re.VERBOSE,
)
_MASKS: Final = {"digit": "0", "letter": "x", "line_end": "⏎", "mark": "·"}


class StreamSample(NamedTuple):
    """The type and the beginning of a stream, with all values masked.

    The beginning is one line of at most 200 characters. Structure and names of fields
    are unchanged; a digit becomes 0, another letter x, a line end ⏎.
    """

    content_type: str
    beginning: str

    @classmethod
    def of(cls, content_type: str, body: bytes) -> Self:
        """Mask the first bytes of a stream."""
        text = body[:SAMPLE_BYTES].decode(errors="replace")[:_SHOWN_CHARACTERS]
        return cls(_masked_type(content_type), _PARTS.sub(_mask, text))

    @classmethod
    def restore(cls, stored: object) -> Self:
        """Return the sample of as_dict(); raises ValueError for anything else."""
        match stored:
            case {"content_type": str(content_type), "beginning": str(beginning)}:
                return cls.of(content_type, beginning.encode(errors="replace"))
        raise ValueError("Not a sample")

    def as_dict(self) -> Mapping[str, str]:
        """Return the sample as JSON."""
        return {"content_type": self.content_type, "beginning": self.beginning}


def _masked_type(content_type: str) -> str:
    masked = re.sub(r"\d", "0", content_type)
    return masked if _CONTENT_TYPE.fullmatch(masked) else "?"


def _mask(part: re.Match[str]) -> str:
    return _MASKS.get(part.lastgroup or "", part[0])
