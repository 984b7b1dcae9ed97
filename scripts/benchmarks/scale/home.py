"""An account with many systems or panels, and its cloud."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from homeassistant.const import CONF_TOKEN
from pytest_homeassistant_custom_component.common import MockConfigEntry
from yarl import URL

from custom_components.enphase_cloud.const import CONF_GROUPS
from custom_components.enphase_cloud.documents.base import Group
from simulator import Cloud, Published
from simulator.moments import epoch
from tests.world import World, build

from ..cloud import answer
from ..home_assistant import PLENTY

_PANEL_W: Final = 425
_MONTH_S: Final = 2_678_400


@dataclass(slots=True)
class Home:
    """A cloud at a moment; `answers` are those it gave by then."""

    world: World
    moment: datetime
    answers: dict[tuple[datetime, URL], bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, *, systems: int, panels: int) -> Self:
        """Build so many systems with so many panels each."""
        now = datetime.now(UTC)
        properties = {
            "size_w": panels * _PANEL_W,
            "battery": 2,
            "time_zone": "Europe/Berlin",
        }
        world = build(Cloud(lambda: now), plan="partner", **properties)
        for number in range(1, systems):
            world.add_system(name=f"Roof {number}", **properties)
        return cls(world, now)

    def pass_a_day(self) -> None:
        """Let the cloud tell what it tells a day later."""
        self.moment += timedelta(days=1)

    def answer(self, url: URL) -> bytes:
        """Answer as the cloud does; each answer is worked out once."""
        asked = (self.moment, url)
        if asked not in self.answers:
            at = epoch(self.moment)
            published = [Published(each, at) for each in self.world.systems]
            self.answers[asked] = answer(url, published)
        return self.answers[asked]

    def entry(self) -> MockConfigEntry:
        """Return the config entry of the account, with all that can be switched on."""
        options = {**PLENTY, CONF_GROUPS: [str(each) for each in Group]}
        entry = self.world.entry(options=options)
        # It lasts for the days that pass.
        entry.data[CONF_TOKEN]["expires_at"] += _MONTH_S
        return entry
