"""An account of ours and one of the rival, and what their clouds answer."""

from collections.abc import AsyncGenerator
import json
from typing import Any, Final, Self

from homeassistant.const import CONF_TOKEN
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry
from yarl import URL

from custom_components.enphase_cloud.const import (
    CONF_CALLS_PER_MINUTE,
    CONF_CALLS_PER_MONTH,
    CONF_LIVE_STREAM,
    CONF_PLAN,
    DOMAIN,
    PLAN_CUSTOM,
)
from simulator import Cloud
from simulator.operations import find
from tests.world import build

OURS: Final = DOMAIN
RIVAL: Final = "teslemetry"
_SITE: Final = 123_456
_PARTS: Final = {
    "battery": True,
    "solar": True,
    "grid": True,
    "batteries": [{"part_name": "Powerwall 2"}],
    "gateways": [{"part_name": "Gateway 2"}],
}
_RIVAL_ANSWERS: Final[dict[str, Any]] = {
    "metadata": {
        "region": "EU",
        "scopes": ["energy_device_data", "energy_cmds", "openid"],
        "vehicles": {},
        "energy_sites": {str(_SITE): {"access": True}},
    },
    "products": {"response": [{"energy_site_id": _SITE, "components": _PARTS}]},
    "live_status": {
        "response": {
            **{f"{name}_power": 1_184 for name in ("solar", "battery", "load", "grid")},
            "energy_left": 38_897.0,
            "total_pack_energy": 40_727,
            "percentage_charged": 95.5,
            "generator_power": 0,
            "grid_status": "Active",
            "island_status": "on_grid",
        }
    },
    "site_info": {
        "response": {
            "backup_reserve_percent": 0,
            "default_real_mode": "self_consumption",
            "user_settings": {"storm_mode_enabled": True},
            "components": _PARTS,
            "version": "23.44.0",
            "installation_time_zone": "Europe/Berlin",
        }
    },
}


_WORLD: Final = build(
    Cloud(dt_util.utcnow),
    plan="kilowatt",
    name="Hilltop",
    battery=2,
    time_zone="Europe/Berlin",
)


class Answer:
    """What both clients read of a response, without any network."""

    status = 200
    ok = True
    content_type = "application/json"
    url = ""

    def __init__(self, document: object) -> None:
        """Take a document."""
        self._body = json.dumps(document).encode()
        self.content = self
        self.headers = {"Date": f"{dt_util.utcnow():%a, %d %b %Y %H:%M:%S} GMT"}

    async def iter_any(self) -> AsyncGenerator[bytes]:
        """Yield the body in one piece."""
        yield self._body

    async def json(self) -> Any:
        """Return the document."""
        return json.loads(self._body)

    async def __aenter__(self) -> Self:
        """Take no connection."""
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Return none."""


def answer(url: str) -> Answer:
    """Return what the cloud of either answers."""
    path = URL(url).path
    if (document := _RIVAL_ANSWERS.get(path.rpartition("/")[2])) is not None:
        return Answer(document)
    (operation, _), *_ = find(path.partition("/systems")[2])
    published = _WORLD.cloud.published(_WORLD.system)
    if operation.of_system is not None:
        return Answer(operation.of_system(published, {}))
    assert operation.of_account is not None
    return Answer(operation.of_account([published], {}, {"system": {}}))


def entry(domain: str) -> MockConfigEntry:
    """Return a config entry of an account with one system."""
    # However few calls of a month a new key has left.
    options = {
        CONF_PLAN: PLAN_CUSTOM,
        CONF_CALLS_PER_MINUTE: 1_000,
        CONF_CALLS_PER_MONTH: 1_000_000,
        CONF_LIVE_STREAM: True,
    }
    ours = _WORLD.entry(options=options)
    if domain == OURS:
        return ours
    data = {"auth_implementation": domain, CONF_TOKEN: ours.data[CONF_TOKEN]}
    return MockConfigEntry(domain=domain, data=data, version=2)
