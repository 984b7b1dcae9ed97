"""Measure live data: python -m scripts.benchmarks.live [--json]."""

from collections.abc import Iterator
from statistics import median

from ..home_assistant import in_a_loop
from ..report import command_line, table, tell
from . import latency, memory, parsing, writes
from .home import HandMovedLoop
from .latency import Latency
from .parsing import Parsing
from .writes import Writes


def main() -> None:
    """Measure everything, and report; it takes about a minute."""
    arguments = command_line("live", __doc__).parse_args()
    parsed = parsing.measure()
    delayed = in_a_loop(latency.measure(), HandMovedLoop)
    written = in_a_loop(writes.measure(), HandMovedLoop)
    growth = in_a_loop(memory.measure(), HandMovedLoop)
    lines = [
        *_of_parsing(parsed),
        *_of_latency(delayed),
        *_of_writes(written),
        f"Memory after {memory.BURSTS:,} bursts: {growth:+.3f} MiB",
    ]
    figures = {
        "parse_ratio": round(min(case.ratio for case in parsed), 3),
        "latency_ratio": round(delayed.ratio, 3),
        "writes_per_interval": written.per_interval,
        "memory_growth_mib": round(growth, 3),
    }
    tell(arguments, lines, figures)


def _of_parsing(cases: list[Parsing]) -> Iterator[str]:
    yield "From bytes to events, frames per second, the best of many turns"
    for case in cases:
        yield f"  {case.cut}: {case.ratio:.2f} times httpx-sse"
        rates = {"Enphase Cloud": case.ours, "httpx-sse": case.httpx_sse}
        yield from table([(name, f"{rate:,.0f}") for name, rate in rates.items()])


def _of_latency(measured: Latency) -> Iterator[str]:
    yield (
        f"From bytes to states, {len(measured.ours):,} frames one by one, the median:"
        f" {measured.ratio:.2f} times Home Assistant alone"
    )
    taken = {"Enphase Cloud": measured.ours, "Home Assistant alone": measured.alone}
    yield from table(
        [(name, f"{median(each) * 1e6:,.1f} µs") for name, each in taken.items()]
    )


def _of_writes(counted: Writes) -> Iterator[str]:
    yield (
        f"State writes in a burst of {counted.frames} frames, a second apart and"
        f" published every {counted.interval:.0f} s:"
        f" at most {counted.per_interval} per entity and interval"
    )
    yield from table([(name, str(n)) for name, n in counted.by_entity.items()])


if __name__ == "__main__":
    main()
