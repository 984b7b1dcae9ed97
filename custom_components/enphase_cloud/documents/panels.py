"""Single microinverters (API operation `inverters_summary_by_envoy_or_site`)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from ..api.models import DeviceStatus
from ..api.models.inverters import Inverter
from ..measurements.arrays import SILENT_AFTER, weakest
from ..measurements.catalog import Measurement, Source
from ..measurements.inventory import DeviceProperties, Inventory
from ..measurements.panel_health import PanelDay
from ..measurements.panel_history import PanelState
from ..measurements.samples import Sample, Samples
from ..measurements.system import MOST_W, SYSTEM, Device, DeviceKind
from .base import Known, Report, samples_of

# The time between two responses whose difference is the energy of a day.
_LEAST_BETWEEN: Final = timedelta(hours=18)
_MOST_BETWEEN: Final = timedelta(hours=30)
# Late reports add to what was produced in the meantime.
_SLACK: Final = timedelta(days=1)
# How long a total that the panel cannot have produced has to last to be accepted.
_CONFIRMED_AFTER: Final = timedelta(days=3)


def read_panels(inverters: Sequence[Inverter], known: Known) -> Report:
    """Read the microinverters: energy, status and report of each.

    Yesterday's energy [Wh] is the difference of two lifetime totals a day apart.
    """
    panels = {_device(each): each for each in inverters}
    yesterday = {
        device: energy
        for device, energy in _since_yesterday(panels, known).items()
        # Of a panel that was silent, energy may be that of several days.
        if not (energy and _was_silent(device, known))
    }
    report: dict[Device, Samples] = {
        device: _panel(device, each, yesterday.get(device), known)
        for device, each in panels.items()
    }
    return report | {SYSTEM: _system(panels, yesterday, known)}


def learn_health(inverters: Sequence[Inverter], known: Known) -> None:
    """Update the panel health of the board with the energy of yesterday."""
    panels = {_device(each): each for each in inverters}
    days = {
        device.identifier: PanelDay(
            energy,
            panels[device].gateway_serial_number,
            known.info.arrays.get(device.identifier),
        )
        for device, energy in _since_yesterday(panels, known).items()
        if panels[device].status is not DeviceStatus.RETIRED
    }
    # Half a day earlier, as a response before dawn is about the day before.
    noon = known.fetched_at - timedelta(hours=12)
    today = noon.astimezone(known.info.time_zone).date()
    known.board.panel_health = known.board.panel_health.after(today, days)


def inventory(inverters: Sequence[Inverter]) -> Inventory:
    """Return the microinverters.

    Those missing may belong to an inactive gateway, so the list is not complete.
    """
    return {
        _device(each): DeviceProperties(
            model=each.model,
            model_id=each.sku,
            serial_number=each.serial_number,
            firmware=each.firmware,
            part_number=each.part_number,
            gateway=each.gateway_serial_number,
        )
        for each in inverters
    }


def _device(inverter: Inverter) -> Device:
    return Device(DeviceKind.INVERTER, str(inverter.key))


def _since_yesterday(
    panels: Mapping[Device, Inverter], known: Known
) -> dict[Device, float]:
    """Return the energy [Wh] of each panel since a response a day before, if known.

    It includes earlier days for panels that were silent. The totals of a silent gateway
    do not change, whatever its panels produce.
    """
    reports = {
        (each.gateway_serial_number, _has_reported(each, known))
        for each in panels.values()
        if each.last_report_at is not None
    }
    silent = {gateway for gateway, _ in reports if (gateway, True) not in reports}
    return {
        device: energy
        for device, each in panels.items()
        if each.gateway_serial_number not in silent
        and (energy := _energy_since(device, each, known)) is not None
    }


def _last_report(each: Inverter, known: Known) -> datetime | None:
    """Return when a panel last reported, None if unknown.

    A time in the future, from a gateway with a wrong clock, counts as now, but only if
    the energy changed since the previous response: a silent gateway keeps that time.
    """
    at, now = each.last_report_at, known.fetched_at
    if at is None or at <= now:
        return at
    before = known.board.samples(Source.PANELS, _device(each))
    total = before.get(Measurement.PANEL_ENERGY_LIFETIME)
    report = before.get(Measurement.PANEL_LAST_REPORT)
    if total is None or report is None or total.value != each.energy:
        return now
    return min(report.observed_at, now)


def _has_reported(each: Inverter, known: Known) -> bool:
    at = _last_report(each, known)
    return at is not None and known.fetched_at - at <= SILENT_AFTER


def _energy_since(device: Device, each: Inverter, known: Known) -> float | None:
    total = _total_before(device, known)
    if total is None or each.energy is None:
        return None
    between = known.fetched_at - total.observed_at
    if not _LEAST_BETWEEN <= between <= _MOST_BETWEEN:
        return None
    return each.energy - float(total.value) if _explains(total, each, known) else None


def _total_before(device: Device, known: Known) -> Sample | None:
    """Return the lifetime energy as of an earlier response."""
    before = known.board.samples(Source.PANELS, device)
    return before.get(Measurement.PANEL_ENERGY_LIFETIME)


def _was_silent(device: Device, known: Known) -> bool:
    """Return whether a panel was silent at the response before."""
    total = _total_before(device, known)
    before = known.board.samples(Source.PANELS, device)
    report = before.get(Measurement.PANEL_LAST_REPORT)
    return (
        total is not None
        and report is not None
        and total.observed_at - report.observed_at > SILENT_AFTER
    )


def _explains(total: Sample, each: Inverter, known: Known) -> bool:
    """Return whether a panel can have raised an earlier total to the new one."""
    hours = (known.fetched_at - total.observed_at + _SLACK) / timedelta(hours=1)
    rise = (each.energy or 0.0) - float(total.value)
    return 0 <= rise <= MOST_W[DeviceKind.INVERTER] * hours


def _total(device: Device, each: Inverter, known: Known) -> Sample | None:
    """Return the lifetime energy; the one before if the new one may be a fault.

    Home Assistant takes a decrease for a reset, and counts all energy again.
    """
    if each.energy is None:
        return None
    before = _total_before(device, known)
    if (
        before is not None
        and not _explains(before, each, known)
        and known.fetched_at - before.observed_at <= _CONFIRMED_AFTER
    ):
        return before
    return Sample(each.energy, known.fetched_at, Source.PANELS)


def _panel(
    device: Device, each: Inverter, yesterday: float | None, known: Known
) -> Samples:
    at, reported_at = known.fetched_at, _last_report(each, known)
    health = known.board.panel_health
    is_known = each.status is not DeviceStatus.UNKNOWN
    values = {
        Measurement.PANEL_ENERGY_YESTERDAY: yesterday,
        Measurement.DEVICE_STATUS: str(each.status) if is_known else None,
        Measurement.PANEL_STATE: str(health.state(device.identifier)),
        Measurement.PANEL_PERFORMANCE: health.performance(device.identifier),
    }
    samples = samples_of(values, at, Source.PANELS)
    if (total := _total(device, each, known)) is not None:
        samples[Measurement.PANEL_ENERGY_LIFETIME] = total
    if reported_at is None:
        return samples
    moment = int(reported_at.timestamp())
    samples[Measurement.PANEL_LAST_REPORT] = Sample(moment, reported_at, Source.PANELS)
    if each.power is not None:
        power = Sample(each.power, reported_at, Source.PANELS)
        samples[Measurement.PANEL_POWER] = power
    return samples


def _system(
    panels: Mapping[Device, Inverter], yesterday: Mapping[Device, float], known: Known
) -> Samples:
    health = known.board.panel_health
    states = {device: health.state(device.identifier) for device in panels}
    counts = Counter(states.values())
    ill = {
        device
        for device, each in panels.items()
        if each.status.is_problem or states[device] is not PanelState.SOUND
    }
    values = {
        Measurement.PANELS_REPORTING: sum(
            _has_reported(each, known) for each in panels.values()
        ),
        Measurement.PANEL_PROBLEMS: len(ill),
        Measurement.DEAD_PANELS: counts[PanelState.DEAD],
        Measurement.WEAK_PANELS: counts[PanelState.WEAK],
        Measurement.WEAKEST_PANEL: weakest(yesterday.values()),
    }
    return samples_of(values, known.fetched_at, Source.PANELS)
