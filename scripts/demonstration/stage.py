"""The two programs of the demo, and what it takes to start, restart and end them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
import json
from pathlib import Path
import re
import shutil
import socket
import tempfile
from typing import Any, Final

from aiohttp import ClientSession

from simulator.places import PLACES, Place, place_at_noon

from .cloud import Cloud
from .command_line import CHECKOUT, LOOPBACK
from .home_assistant import HomeAssistant
from .processes import Program, until

# Who drives a browser has an environment without Home Assistant.
_PROGRAMS: Final = CHECKOUT / ".venv" / "demo" / "bin"

# `integrations.py` lists the same integrations, for what they need installed.
_CONFIGURATION: Final = """\
homeassistant:
  auth_mfa_modules: []
  name: Hillside
  latitude: {place.latitude}
  longitude: {place.longitude}
  elevation: 50
  time_zone: {place.time_zone}
  country: {place.address.country}
  currency: USD
  unit_system: metric
application_credentials:
automation: !include automations.yaml
config:
energy:
frontend:
history:
logbook:
logger:
  default: warning
  logs:
    custom_components.enphase_cloud: info
    homeassistant.util.package: info
recorder:
sun:
system_health:
"""

_TIME_ZONE: Final = re.compile(r"^  time_zone: (\S+)$", re.MULTILINE)

# Only the user is missing. The step "core_config" would set up a weather service, a
# radio and a speech service, all on the internet; the demo is a closed world.
_ONBOARDING: Final = {"done": ["core_config", "analytics", "integration"]}


class Stage:
    """A simulated cloud and a Home Assistant that is pointed at it."""

    def __init__(
        self,
        session: ClientSession,
        folder: Path,
        *,
        port: int,
        cloud_port: int,
        place: Place | None = None,
    ) -> None:
        """Prepare a stage whose Home Assistant keeps its things in a folder.

        Its home stands where the folder has it, else in a place, else where it is noon.
        """
        self.place = _place_of(folder) or place or place_at_noon(datetime.now(UTC))
        _prepare(folder, self.place, port=port)
        self.home_assistant = HomeAssistant(session, f"http://{LOOPBACK}:{port}")
        self.cloud = Cloud(session, f"http://{LOOPBACK}:{cloud_port}")
        hass = _PROGRAMS / "hass"
        self.home_assistant_program = Program(
            "Home Assistant",
            [hass, "--config", folder, "--log-no-color"],
            folder / "home-assistant.out",
            {"ENPHASE_CLOUD_URL": self.cloud.url},
        )
        simulator = [_PROGRAMS / "python", "-m", "simulator"]
        simulator += ["--place", self.place.time_zone]
        self.cloud_program = Program(
            "The simulated cloud",
            [*simulator, "--host", LOOPBACK, "--port", str(cloud_port)],
            folder / "simulator.out",
        )

    async def start_home_assistant(self) -> None:
        """Return once Home Assistant runs and its user is logged in.

        One that runs already is started again. Raises DemoError.
        """
        await self.home_assistant_program.stop()
        await self.home_assistant_program.start(self.home_assistant.is_up)
        await self.home_assistant.log_in()
        await until("Home Assistant runs", self.home_assistant.is_running, seconds=120)


@asynccontextmanager
async def open_stage(
    folder: Path, *, port: int, cloud_port: int, place: Place | None = None
) -> AsyncGenerator[Stage]:
    """Run a stage; raises DemoError where a program does not come up."""
    async with ClientSession() as session:
        stage = Stage(session, folder, port=port, cloud_port=cloud_port, place=place)
        programs = (stage.home_assistant_program, stage.cloud_program)
        for program in programs:
            program.log.unlink(missing_ok=True)
        try:
            await stage.cloud_program.start(lambda: stage.cloud.ask("clock"))
            await stage.start_home_assistant()
            yield stage
        finally:
            for program in programs:
                await program.stop()


@asynccontextmanager
async def temporary_stage(place: Place | None = None) -> AsyncGenerator[Stage]:
    """Run a stage on free ports; what it stored stays only where something failed."""
    folder = Path(tempfile.mkdtemp(prefix="enphase-cloud-"))
    has_failed = False
    try:
        async with open_stage(
            folder, port=_free_port(), cloud_port=_free_port(), place=place
        ) as stage:
            yield stage
    except Exception:
        has_failed = True
        print(f"\nLogs and storage are kept in {folder}")
        raise
    finally:
        if not has_failed:
            shutil.rmtree(folder)


def _free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _place_of(folder: Path) -> Place | None:
    """Return where the home stands that is set up in a folder; history stays there."""
    try:
        entries = (folder / ".storage" / "core.config_entries").read_text("utf-8")
        configuration = (folder / "configuration.yaml").read_text("utf-8")
    except FileNotFoundError:
        return None
    found = _TIME_ZONE.search(configuration)
    if found is None or '"enphase_cloud"' not in entries:
        return None
    return PLACES.get(found[1])


def _prepare(folder: Path, place: Place, *, port: int) -> None:
    """Make the folder ready for a start on a port; what is in it stays."""
    storage = folder / ".storage"
    storage.mkdir(parents=True, exist_ok=True)
    configuration = _CONFIGURATION.format(place=place)
    (folder / "configuration.yaml").write_text(configuration, "utf-8")
    _store(storage / "http", _http(port), version=3)
    if not (storage / "onboarding").exists():
        _store(storage / "onboarding", _ONBOARDING, version=4)
    # What automations are made of in the frontend is added here.
    (folder / "automations.yaml").touch()
    link = folder / "custom_components"
    link.unlink(missing_ok=True)
    link.symlink_to(CHECKOUT / "custom_components")
    # A link would not be followed.
    shutil.copytree(CHECKOUT / "blueprints", folder / "blueprints", dirs_exist_ok=True)


def _http(port: int) -> dict[str, Any]:
    """Return an address as Home Assistant keeps it once a user has confirmed it.

    One from the YAML configuration is only tried, and given up after five minutes.
    """
    confirmed = {
        "server_host": [LOOPBACK],
        "server_port": port,
        "cors_allowed_origins": [],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": False,
        "ssl_profile": "intermediate_v6",
        "use_x_frame_options": True,
        "created_at": "2026-11-01T00:00:00+00:00",
        "error": None,
        "error_message": None,
    }
    return {"stable": confirmed, "pending": None, "yaml_migration_done": True}


def _store(path: Path, data: dict[str, Any], *, version: int) -> None:
    """Write what Home Assistant is to find in its storage."""
    stored = {"version": version, "minor_version": 1, "key": path.name, "data": data}
    path.write_text(json.dumps(stored))
