"""Measure live data: python -m scripts.benchmarks.live [--json]."""

from statistics import median

from ..home_assistant import in_a_loop
from ..report import command_line, table, tell
from . import latency, memory, parsing, writes
from .home import HandMovedLoop


def main() -> None:
    """Measure everything, and report; it takes about a minute."""
    arguments = command_line("live", __doc__).parse_args()
    parsed = parsing.measure()
    delayed = in_a_loop(latency.measure(), HandMovedLoop)
    written = in_a_loop(writes.measure(), HandMovedLoop)
    growth = in_a_loop(memory.measure(), HandMovedLoop)
    lines = ["From bytes to events, frames per second, the best of many turns"]
    for case in parsed:
        lines.append(f"  {case.cut}: {case.ratio:.2f} times httpx-sse")
        rates = {"Enphase Cloud": case.ours, "httpx-sse": case.httpx_sse}
        lines += table([(name, f"{rate:,.0f}") for name, rate in rates.items()])
    lines.append(
        f"From bytes to states, {len(delayed.ours):,} frames one by one, the median:"
        f" {delayed.ratio:.2f} times Home Assistant alone"
    )
    taken = {"Enphase Cloud": delayed.ours, "Home Assistant alone": delayed.alone}
    lines += table(
        [(name, f"{median(each) * 1e6:,.1f} µs") for name, each in taken.items()]
    )
    lines.append(
        f"State writes in a burst of {written.frames} frames, a second apart and"
        f" published every {written.interval:.0f} s:"
        f" at most {written.per_interval} per entity and interval"
    )
    lines += table([(name, str(n)) for name, n in written.by_entity.items()])
    lines.append(f"Memory after {memory.BURSTS:,} bursts: {growth:+.3f} MiB")
    figures = {
        "parse_ratio": round(min(case.ratio for case in parsed), 3),
        "latency_ratio": round(delayed.ratio, 3),
        "writes_per_interval": written.per_interval,
        "memory_growth_mib": round(growth, 3),
    }
    tell(arguments, lines, figures)


if __name__ == "__main__":
    main()
