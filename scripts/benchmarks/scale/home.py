"""An account with many systems or panels, and a cloud without a network."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
import json
import time
from typing import Final, Self

from homeassistant.const import CONF_TOKEN
from pytest_homeassistant_custom_component.common import MockConfigEntry
from yarl import URL

from custom_components.enphase_cloud.const import (
    CONF_CALLS_PER_MINUTE,
    CONF_CALLS_PER_MONTH,
    CONF_GROUPS,
    CONF_LIVE_STREAM,
    CONF_PLAN,
    DOMAIN,
    PLAN_CUSTOM,
)
from custom_components.enphase_cloud.documents.base import Group
from simulator import Cloud, Published
from simulator.operations import find
from tests.world import World, build

_PANEL_W: Final = 425
_ZONE: Final = "Europe/Berlin"
_MONTH_S: Final = 2_678_400


class Answer:
    """What the client reads of a response."""

    status = 200
    ok = True
    content_type = "application/json"
    url = ""

    def __init__(self, body: bytes) -> None:
        """Take the body."""
        self._body = body
        self.content = self
        self.headers = {"Date": f"{datetime.now(UTC):%a, %d %b %Y %H:%M:%S} GMT"}

    async def iter_any(self) -> AsyncGenerator[bytes]:
        """Yield the body in one piece."""
        yield self._body

    async def __aenter__(self) -> Self:
        """Take no connection."""
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Return none."""


@dataclass(slots=True)
class Home:
    """A cloud at a moment; `answers` are those it gave by then."""

    world: World
    moment: datetime
    answers: dict[tuple[datetime, str], bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, *, systems: int, panels: int) -> Home:
        """Build so many systems with so many panels each."""
        now = datetime.now(UTC)
        properties = {"size_w": panels * _PANEL_W, "battery": 2, "time_zone": _ZONE}
        world = build(Cloud(lambda: now), plan="partner", **properties)
        for number in range(1, systems):
            world.add_system(name=f"Roof {number}", **properties)
        return cls(world, now)

    def pass_a_day(self) -> None:
        """Let the cloud tell what it tells a day later."""
        self.moment += timedelta(days=1)

    def answer(self, url: URL) -> Answer:
        """Answer as the cloud does; each answer is worked out once."""
        asked = (self.moment, str(url))
        if asked not in self.answers:
            self.answers[asked] = json.dumps(self._answer(url)).encode()
        return Answer(self.answers[asked])

    def entry(self) -> MockConfigEntry:
        """Return the config entry of the account, with all that can be switched on."""
        options = {
            CONF_PLAN: PLAN_CUSTOM,
            CONF_CALLS_PER_MINUTE: 100_000,
            CONF_CALLS_PER_MONTH: 100_000_000,
            CONF_LIVE_STREAM: True,
            CONF_GROUPS: [str(each) for each in Group],
        }
        made = self.world.entry(options=options)
        # It lasts for the days that pass.
        token = {**made.data[CONF_TOKEN], "expires_at": time.time() + _MONTH_S}
        return MockConfigEntry(
            domain=DOMAIN, data={**made.data, CONF_TOKEN: token}, options=made.options
        )

    def _answer(self, url: URL) -> object:
        (operation, named), *_ = find(url.path.partition("/systems")[2])
        query = dict(url.query)
        by_id = {str(each.system_id): each for each in self.world.systems}
        at = int(self.moment.timestamp())
        if operation.of_system is not None:
            system_id = named.get("system_id") or query.get("site_id", "")
            return operation.of_system(Published(by_id[system_id], at), query)
        if operation.of_account is not None:
            published = [Published(each, at) for each in self.world.systems]
            return operation.of_account(published, query, {"system": {}})
        return {}
