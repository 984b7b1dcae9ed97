"""The meters of a system, and their measurements."""

from collections.abc import Iterator
from dataclasses import dataclass

from simulator.moments import QUARTER
from simulator.parts import Meter, Part, is_one_of
from simulator.physics import Flow, energy
from simulator.world import System

_FIRST_SHARE = 60
"""The share of the remaining production that each meter but the last measures [%]."""
_SECOND_NUMBER = 92


@dataclass(frozen=True, slots=True, kw_only=True)
class Metering:
    """A meter that measures from `since` to `until`, None if it is active.

    `index`, from 0, distinguishes parallel meters of production.
    """

    system: System
    name: Meter
    index: int
    number: int
    since: int
    until: int | None = None

    @property
    def part(self) -> Part:
        """Return its name as a part."""
        return f"{self.name} {self.index + 1}"

    @property
    def gateway(self) -> str:
        """Return the serial number of the gateway to which it reports."""
        second = self.system.second_gateway
        is_of_second = second is not None and is_one_of(self.part, second.parts)
        return self.system.gateway_serials[is_of_second]

    @property
    def serial(self) -> str:
        """Return its serial number."""
        return f"{self.system.gateway_serial}EIM{self.number}"

    @property
    def begin(self) -> int:
        """Return the quarter hour from which on it measures."""
        return self.since // QUARTER * QUARTER

    @property
    def end(self) -> int | None:
        """Return the quarter hour up to which it measured, None if it is active."""
        return None if self.until is None else self.until // QUARTER * QUARTER

    def energy(self, start: int, end: int) -> int:
        """Return the Wh that it measures in [start, end), both multiples of a step."""
        first, flow = self.system.operational_at, Flow(self.name)
        before = energy(self.system.plant, flow, first, start)
        after = before + energy(self.system.plant, flow, start, end)
        return self.part_of(after) - self.part_of(before)

    def part_of(self, total: int) -> int:
        """Return its part of the lifetime total of all meters of its kind.

        The parts of all meters add up to the total, and never decrease as it grows.
        """
        count = self.system.production_meters if self.name == "production" else 1
        for _ in range(self.index):
            total -= total * _FIRST_SHARE // 100
        is_last = self.index == count - 1
        return total if is_last else total * _FIRST_SHARE // 100


def meters_of(system: System, name: Meter) -> Iterator[Metering]:
    """Yield the meters of a kind; replaced ones precede their successor."""
    if name not in system.meters:
        return
    swaps = [each.at for each in system.replaced if each.meter == name]
    begins = [system.operational_at, *swaps]
    for generation, (since, until) in enumerate(
        zip(begins, [*swaps, None], strict=True)
    ):
        number = 20 * generation + (1 if name == "production" else 2)
        yield Metering(
            system=system, name=name, index=0, number=number, since=since, until=until
        )
    for index in range(1, system.production_meters if name == "production" else 1):
        yield Metering(
            system=system,
            name=name,
            index=index,
            number=_SECOND_NUMBER + index - 1,
            since=system.operational_at,
        )
