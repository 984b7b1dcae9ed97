"""Single microinverters (API operation `inverters_summary_by_envoy_or_site`)."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from ..api.models import DeviceStatus
from ..api.models.inverters import Inverter
from ..measurements.arrays import SILENT_AFTER, weakest
from ..measurements.catalog import Measurement, Source
from ..measurements.inventory import DeviceProperties, Inventory
from ..measurements.panel_health import PanelDay
from ..measurements.panel_history import PanelState
from ..measurements.samples import Sample, Samples, Value
from ..measurements.system import SYSTEM, Device, DeviceKind
from .base import Known, Report

# Between two answers that tell what one day came to.
_LEAST_BETWEEN: Final = timedelta(hours=18)
_MOST_BETWEEN: Final = timedelta(hours=30)


def read_panels(inverters: Sequence[Inverter], known: Known) -> Report:
    """Read the microinverters: energy, status and report of each.

    Yesterday's energy [Wh] is the difference of two lifetime totals a day apart.
    """
    panels = {_device(each): each for each in inverters}
    yesterday = _energies_yesterday(panels, known)
    report: dict[Device, Samples] = {
        device: _panel(device, each, yesterday.get(device), known)
        for device, each in panels.items()
    }
    return report | {SYSTEM: _system(panels, yesterday, known)}


def learn_health(inverters: Sequence[Inverter], known: Known) -> None:
    """Learn from what each panel gave yesterday, and judge it.

    Of a silent gateway the totals stand still, which says nothing of its panels.
    """
    panels = {_device(each): each for each in inverters}
    yesterday = _energies_yesterday(panels, known)
    heard = {
        each.gateway_serial_number
        for each in panels.values()
        if _has_reported(each, known)
    }
    days = {
        device.identifier: PanelDay(
            yesterday[device],
            each.gateway_serial_number,
            known.info.arrays.get(device.identifier),
        )
        for device, each in panels.items()
        if device in yesterday
        and each.gateway_serial_number in heard
        and each.status is not DeviceStatus.RETIRED
    }
    # Half a day back, for before dawn the day that counts is the one before.
    noon = known.fetched_at - timedelta(hours=12)
    today = noon.astimezone(known.info.time_zone).date()
    known.board.panel_health = known.board.panel_health.after(today, days)


def inventory(inverters: Sequence[Inverter]) -> Inventory:
    """Return the microinverters; absent ones may belong to an inactive gateway."""
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


def _energies_yesterday(
    panels: Mapping[Device, Inverter], known: Known
) -> dict[Device, float]:
    return {
        device: energy
        for device, each in panels.items()
        if (energy := _energy_yesterday(device, each, known)) is not None
    }


def _has_reported(each: Inverter, known: Known) -> bool:
    at = each.last_report_at
    return at is not None and known.fetched_at - at <= SILENT_AFTER


def _energy_yesterday(device: Device, each: Inverter, known: Known) -> float | None:
    before = known.board.samples(Source.PANELS, device).get(
        Measurement.PANEL_ENERGY_LIFETIME
    )
    if before is None or each.energy is None:
        return None
    between = known.fetched_at - before.observed_at
    if not _LEAST_BETWEEN <= between <= _MOST_BETWEEN:
        return None
    energy = each.energy - float(before.value)
    return energy if energy >= 0 else None


def _panel(
    device: Device, each: Inverter, yesterday: float | None, known: Known
) -> Samples:
    at, reported_at = known.fetched_at, each.last_report_at
    health = known.board.panel_health
    samples = _samples(
        known,
        {
            Measurement.PANEL_ENERGY_YESTERDAY: yesterday,
            Measurement.PANEL_ENERGY_LIFETIME: each.energy,
            Measurement.DEVICE_STATUS: None
            if each.status is DeviceStatus.UNKNOWN
            else str(each.status),
            Measurement.PANEL_STATE: str(health.state(device.identifier)),
            Measurement.PANEL_PERFORMANCE: health.performance(device.identifier),
        },
    )
    if reported_at is None:
        return samples
    reported_at = min(reported_at, at)
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
    told = list(states.values())
    ill = {
        device
        for device, each in panels.items()
        if each.status.is_problem or states[device] is not PanelState.SOUND
    }
    return _samples(
        known,
        {
            Measurement.PANELS_REPORTING: sum(
                _has_reported(each, known) for each in panels.values()
            ),
            Measurement.PANEL_PROBLEMS: len(ill),
            Measurement.DEAD_PANELS: told.count(PanelState.DEAD),
            Measurement.WEAK_PANELS: told.count(PanelState.WEAK),
            Measurement.WEAKEST_PANEL: weakest(yesterday.values()),
        },
    )


def _samples(
    known: Known, values: Mapping[Measurement, Value | None]
) -> dict[Measurement, Sample]:
    return {
        measurement: Sample(value, known.fetched_at, Source.PANELS)
        for measurement, value in values.items()
        if value is not None
    }
