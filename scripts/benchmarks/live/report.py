"""Runs the measurements, and says what they came to."""

import asyncio
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
import json
import logging
from typing import Any

from custom_components.enphase_cloud.const import DEFAULT_PUBLISH_INTERVAL

from . import latency, memory, parsing, writes
from .home import HandMovedLoop
from .latency import Latency, Throughput
from .memory import Memory
from .parsing import Parsing
from .writes import Writes


@dataclass(frozen=True, slots=True)
class Results:
    """All that was measured, in one process and run."""

    parsing: list[Parsing]
    latency: Latency
    published: Throughput
    withheld: Throughput
    writes: Writes
    memory: Memory

    def as_json(self) -> str:
        """Return the figures that have a target."""
        return json.dumps(
            {
                "parse_ratio": round(min(case.ratio for case in self.parsing), 3),
                "latency_ratio": round(self.latency.ratio, 3),
                "writes_per_interval": self.writes.per_interval,
                "memory_growth_mib": round(self.memory.growth, 3),
            }
        )


def run() -> Results:
    """Measure everything; it takes about a minute."""
    # Home Assistant's words about a test that is none.
    logging.disable(logging.WARNING)
    return Results(
        parsing=_in_a_loop(parsing.measure()),
        latency=_in_a_loop(latency.measure_latency()),
        published=_in_a_loop(latency.measure_throughput(publish_interval=0)),
        withheld=_in_a_loop(
            latency.measure_throughput(publish_interval=DEFAULT_PUBLISH_INTERVAL)
        ),
        writes=_in_a_loop(writes.measure()),
        memory=_in_a_loop(memory.measure()),
    )


def _in_a_loop[ResultT](measurement: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Measure in a loop whose time begins anew."""
    with asyncio.Runner(loop_factory=HandMovedLoop) as runner:
        return runner.run(measurement)


def report(results: Results) -> str:
    """Return all figures as text."""
    return "\n".join(
        [
            *_parsing(results.parsing),
            "",
            *_latency(results.latency),
            "",
            *_throughput(results.published, results.withheld),
            "",
            *_writes(results.writes),
            "",
            f"Memory after {results.memory.bursts:,} bursts",
            f"  growth {results.memory.growth:+.3f} MiB",
        ]
    )


def _parsing(cases: list[Parsing]) -> Iterator[str]:
    yield "From bytes to events, frames per second, the best of many turns"
    for case in cases:
        yield f"  {case.cut}: {case.ratio:.2f} times the fastest rival"
        for name, rate in (
            ("Enphase Cloud", case.ours),
            *case.rivals.items(),
            ("decoders of httpx-sse alone", case.heart),
        ):
            yield f"    {name:28} {rate:12,.0f}"


def _latency(measured: Latency) -> Iterator[str]:
    yield (
        f"From bytes to states, {measured.frames:,} frames one by one:"
        f" {measured.ratio:.2f} times Home Assistant alone"
    )
    yield f"    {'':38} {'median':>9} {'99th percentile':>16}"
    for name, durations in (
        ("Enphase Cloud", measured.ours),
        ("Home Assistant alone", measured.alone),
        ("Home Assistant alone, changes only", measured.least),
    ):
        yield (
            f"    {name:38} {_microseconds(durations.median):>9}"
            f" {_microseconds(durations.percentile_99):>16}"
        )


def _throughput(published: Throughput, withheld: Throughput) -> Iterator[str]:
    yield "From bytes to states, without a pause"
    yield f"    {published.frames_per_second:,.0f} frames per second"
    yield f"    {_microseconds(published.cpu_per_frame)} of the processor for each"
    yield (
        f"    {_microseconds(withheld.cpu_per_frame)} for one that the publish interval"
        " holds back"
    )


def _writes(counted: Writes) -> Iterator[str]:
    yield (
        f"State writes in a burst of {counted.frames} frames, a second apart and"
        f" published every {counted.interval:.0f} s:"
        f" at most {counted.per_interval} per entity and interval"
    )
    for entity, number in counted.by_entity.items():
        yield f"    {entity:38} {number:4}"


def _microseconds(seconds: float) -> str:
    return f"{seconds * 1e6:,.1f} µs"
