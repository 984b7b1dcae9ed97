"""All targets by name."""

from typing import Final

from .answers import ANSWERS
from .stores import STORES
from .streams import STREAMS
from .targets import Target

TARGETS: Final[dict[str, Target]] = {
    target.name: target for target in (*ANSWERS, *STORES, *STREAMS)
}
