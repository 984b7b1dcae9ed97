"""The samples of a system from all sources; for each measurement the newest wins."""

from collections.abc import Callable, Collection, Container, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from ..api.models import ChargingSession, EnergyIntervals
from ..json_values import record
from .catalog import Measurement, Source
from .evidence import Evidence, has, has_battery, has_consumption_meter
from .inventory import DeviceProperties, Inventory, updated
from .open_alarms import OpenAlarms
from .panel_health import PanelHealth
from .samples import (
    NOTHING,
    Samples,
    as_of,
    follows,
    from_json,
    merge,
    merge_newer,
    to_json,
)
from .system import SYSTEM, Device, DeviceKind
from .traits import Kind

type Reader = Callable[[Callable[[Any], Any], object, Any], Any]
"""Calls a reader with a stored part; returns a default if the part is damaged."""

type EndedSession = tuple[ChargingSession, float | None]
"""A session of a charger, and its energy [Wh] or None."""

_NO_EVIDENCE: Final = Evidence()
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


class Board:
    """The samples of each source and device, and the evidence of each document."""

    def __init__(self) -> None:
        """Start empty."""
        self._samples: dict[Source, dict[Device, Samples]] = {}
        self._evidence: dict[Source, Evidence] = {}
        self._newest: dict[Device, Samples] = {}
        self._inventory: Inventory = {}
        # The latest moment of all samples, or a later one.
        self._latest = _LONG_AGO
        self.panel_health = PanelHealth()
        self.open_alarms = OpenAlarms()
        # Recent intervals of chargers; not stored, as they are soon requested again.
        self.charged: dict[Device, EnergyIntervals] = {}
        # The sessions of the newest response, each with its energy [Wh].
        self.sessions: dict[Device, tuple[EndedSession, ...]] = {}
        self.revision = 0
        """Changes when the devices or the kinds of their values change."""

    @property
    def inventory(self) -> Inventory:
        """Return the devices that the cloud lists."""
        return self._inventory

    def take_inventory(
        self, listed: Inventory, *, complete: Container[DeviceKind]
    ) -> None:
        """Update the inventory from a list of devices; drop data of removed ones."""
        before = self._inventory
        self._inventory = updated(before, listed, complete=complete)
        self.revision += self._inventory != before
        gone = before.keys() - self._inventory.keys()
        self.panel_health = self.panel_health.without(
            {each.identifier for each in gone if each.kind is DeviceKind.INVERTER}
        )
        for device in gone:
            for reports in self._samples.values():
                reports.pop(device, None)
            self._newest.pop(device, None)
            self.charged.pop(device, None)
            self.sessions.pop(device, None)

    @property
    def evidence(self) -> Mapping[Source, Evidence]:
        """Return the evidence of each document."""
        return self._evidence

    def evidence_of(self, source: Source) -> Evidence:
        """Return the evidence of a document."""
        return self._evidence.get(source, _NO_EVIDENCE)

    def set_evidence(self, source: Source, evidence: Evidence) -> None:
        """Set the evidence of a document."""
        self._evidence[source] = evidence

    def devices(self) -> frozenset[Device]:
        """Return the devices with samples of any source."""
        return frozenset(
            device
            for reports in self._samples.values()
            for device, samples in reports.items()
            if samples
        )

    def reported_by(self, source: Source) -> frozenset[Device]:
        """Return the devices with samples of a source."""
        reports = self._samples.get(source, {})
        return frozenset(device for device, samples in reports.items() if samples)

    def samples(self, source: Source, device: Device = SYSTEM) -> Samples:
        """Return the samples of a source."""
        return self._samples.get(source, {}).get(device, NOTHING)

    def has_response(self, source: Source, device: Device) -> bool:
        """Return whether a source reported on a device, even if no samples."""
        return device in self._samples.get(source, {})

    def newest(self, device: Device = SYSTEM) -> Samples:
        """Return the newest samples of all sources."""
        if device not in self._newest:
            self._newest[device] = merge(
                self.samples(source, device) for source in self._samples
            )
        return self._newest[device]

    def put(self, source: Source, samples: Samples, device: Device = SYSTEM) -> None:
        """Replace the samples of a source for a device."""
        reports = self._samples.setdefault(source, {})
        before, reports[device] = reports.get(device, NOTHING), samples
        self.revision += before.keys() != samples.keys()
        moments = (sample.observed_at for sample in samples.values())
        self._latest = max((self._latest, *moments))
        newest = self._newest.pop(device, None)
        if newest is not None and follows(before, samples):
            self._newest[device] = merge_newer(newest, samples)

    def drop(self, sources: Collection[Source]) -> None:
        """Remove the samples of sources, and the evidence of these."""
        self.revision += 1
        for source in sources:
            self._samples.pop(source, None)
            self._evidence.pop(source, None)
        if Source.PANELS in sources:
            self.panel_health = PanelHealth()
        if Source.ALARMS in sources:
            self.open_alarms = OpenAlarms()
        if Source.CHARGER_INTERVALS in sources:
            self.charged.clear()
        if Source.CHARGER_SESSIONS in sources:
            self.sessions.clear()
        if Source.DEVICES in sources:
            # Keep only devices that other sources report.
            reported = self.devices()
            self._inventory = {
                device: properties
                for device, properties in self._inventory.items()
                if device in reported
            }
        self._newest.clear()

    def limit_moments(self, now: datetime) -> None:
        """Replace moments in the future by now: they would block what is newer."""
        for source, evidence in self._evidence.items():
            self._evidence[source] = evidence.not_after(now)
        if now < self._latest:
            self._change_all(lambda samples: as_of(samples, now))
            self._latest = now

    def forget_today(self) -> None:
        """Remove the energy of today, as the time zone and so the day changed."""
        self._change_all(_without_today)

    def has_battery(self) -> bool:
        """Return whether the system has batteries, as far as is known."""
        return has_battery(self._evidence)

    def has_consumption_meter(self, now: datetime) -> bool:
        """Return whether the system has a consumption meter, as far as is known."""
        return has_consumption_meter(self._evidence, self.newest(), now=now)

    def has(self, measurement: Measurement, now: datetime) -> bool:
        """Return whether the system has the equipment that a measurement requires."""
        return has(measurement, self._evidence, self.newest(), now=now)

    def as_dict(self) -> dict[str, Any]:
        """Return the board in a shape that JSON can hold.

        Safe in a thread while the board changes: it copies what may change.
        """
        return {
            "samples": {
                source: {
                    device.key: to_json(samples)
                    for device, samples in dict(reports).items()
                }
                for source, reports in dict(self._samples).items()
            },
            "evidence": {
                source: evidence.as_dict()
                for source, evidence in dict(self._evidence).items()
            },
            "inventory": {
                device.key: properties.as_dict()
                for device, properties in self._inventory.items()
            },
            "panel_health": self.panel_health.as_dict(),
            "open_alarms": self.open_alarms.as_dict(),
        }

    def restore(
        self, stored: Mapping[str, Any], read: Reader, *, now: datetime, is_same: bool
    ) -> None:
        """Restore what `as_dict` returned, as far as it is readable.

        Unless `is_same`, documents that added nothing are due for a request.
        """
        samples = read(record, stored.get("samples"), {})
        evidence = read(record, stored.get("evidence"), {})
        for source in Source:
            for key, dated in read(record, samples.get(source), {}).items():
                if (device := read(Device.from_key, key, None)) is not None:
                    self.put(
                        source, as_of(read(from_json, dated, NOTHING), now), device
                    )
            old = Evidence.of_samples(self.samples(source))
            kept = read(Evidence.from_dict, evidence.get(source), old)
            self._evidence[source] = kept if is_same else kept.to_be_checked()

        health = stored.get("panel_health")
        self.panel_health = read(PanelHealth.from_dict, health, PanelHealth())
        alarms = stored.get("open_alarms")
        self.open_alarms = read(OpenAlarms.from_dict, alarms, OpenAlarms())
        inventory = read(record, stored.get("inventory"), {})
        self._inventory = {
            device: read(DeviceProperties.from_dict, kept, DeviceProperties())
            for key, kept in inventory.items()
            if (device := read(Device.from_key, key, None)) is not None
        }

    def _change_all(self, change: Callable[[Samples], Samples]) -> None:
        for reports in self._samples.values():
            for device, samples in reports.items():
                reports[device] = change(samples)
        self._newest.clear()


def _without_today(samples: Samples) -> Samples:
    return {
        measurement: sample
        for measurement, sample in samples.items()
        if measurement.traits.kind is not Kind.ENERGY_TODAY
    }
