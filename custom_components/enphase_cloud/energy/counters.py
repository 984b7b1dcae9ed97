"""Energy of today and of the lifetime, computed from rows of statistics."""

from collections.abc import Mapping, Sequence
from typing import Final

from ..measurements.catalog import Flow, Measurement, Source
from ..measurements.samples import Sample, Samples
from .readings import Span, StatisticsRow

# Today's and lifetime energy of each flow for which no other document has it.
_COUNTERS: Final[Mapping[Flow, tuple[Measurement, Measurement]]] = {
    Flow.CONSUMPTION: (
        Measurement.ENERGY_CONSUMED_TODAY,
        Measurement.ENERGY_CONSUMED_LIFETIME,
    ),
    Flow.GRID_IMPORT: (
        Measurement.ENERGY_IMPORTED_TODAY,
        Measurement.ENERGY_IMPORTED_LIFETIME,
    ),
    Flow.GRID_EXPORT: (
        Measurement.ENERGY_EXPORTED_TODAY,
        Measurement.ENERGY_EXPORTED_LIFETIME,
    ),
    Flow.BATTERY_CHARGE: (
        Measurement.ENERGY_CHARGED_TODAY,
        Measurement.ENERGY_CHARGED_LIFETIME,
    ),
    Flow.BATTERY_DISCHARGE: (
        Measurement.ENERGY_DISCHARGED_TODAY,
        Measurement.ENERGY_DISCHARGED_LIFETIME,
    ),
}


def samples_of_rows(
    rows: Mapping[Flow, Sequence[StatisticsRow]],
    *,
    today: Span,
    source: Source,
    known: Samples,
    all_days: bool,
) -> Samples:
    """Return the energy of today and of the lifetime [Wh], as of the last row.

    The sum of a statistic is the lifetime energy only if it includes all days of the
    past: if `all_days` is true of these rows, or a total is already `known`.
    """
    found: dict[Measurement, Sample] = {}
    for flow, of_flow in rows.items():
        if flow not in _COUNTERS or not of_flow:
            continue
        of_today, ever = _COUNTERS[flow]
        until = of_flow[-1].end
        hours = [row.energy for row in of_flow if row.start >= today.start]
        if hours:
            found[of_today] = Sample(sum(hours), until, source)
        if all_days or ever in known:
            found[ever] = Sample(of_flow[-1].sum, until, source)
    return found
