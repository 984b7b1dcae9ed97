"""Measure live data: python -m scripts.benchmarks.live [--json]."""

from ..home_assistant import in_a_loop
from ..report import command_line, tell
from . import latency, memory, parsing, writes
from .home import HandMovedLoop


def main() -> None:
    """Measure everything, and report; it takes about a minute."""
    arguments = command_line("live", __doc__).parse_args()
    parse_ratio, parsed = parsing.measure()
    latency_ratio, delayed = in_a_loop(latency.measure(), HandMovedLoop)
    per_interval, written = in_a_loop(writes.measure(), HandMovedLoop)
    growth, held = in_a_loop(memory.measure(), HandMovedLoop)
    figures = {
        "parse_ratio": round(parse_ratio, 3),
        "latency_ratio": round(latency_ratio, 3),
        "writes_per_interval": per_interval,
        "memory_growth_mib": round(growth, 3),
    }
    tell(arguments, [*parsed, *delayed, *written, *held], figures)


if __name__ == "__main__":
    main()
