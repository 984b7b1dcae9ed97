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

from ..cloud import response_body
from ..home_assistant import PLENTY

_PANEL_W: Final = 425
_MONTH_S: Final = 2_678_400


@dataclass(slots=True)
class Home:
    """A cloud at a time; `responses` caches its responses by time and URL."""

    world: World
    moment: datetime
    responses: dict[tuple[datetime, URL], bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, *, systems: int, panels: int) -> Self:
        """Build a number of systems with a number of panels each."""
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
        """Advance the cloud by a day."""
        self.moment += timedelta(days=1)

    def respond(self, url: URL) -> bytes:
        """Return the cloud's response; each is created once."""
        request = (self.moment, url)
        if request not in self.responses:
            at = epoch(self.moment)
            published = [Published(each, at) for each in self.world.systems]
            self.responses[request] = response_body(url, published)
        return self.responses[request]

    def entry(self) -> MockConfigEntry:
        """Return the config entry of the account, with all options on."""
        options = {**PLENTY, CONF_GROUPS: [str(each) for each in Group]}
        entry = self.world.entry(options=options)
        # Valid for the simulated days.
        entry.data[CONF_TOKEN]["expires_at"] += _MONTH_S
        return entry
