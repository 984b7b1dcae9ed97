"""The two programs of the demo: their configuration, start and end."""

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

# Named, because callers with a browser run in an environment without Home Assistant.
_PROGRAMS: Final = CHECKOUT / ".venv" / "demo" / "bin"

# scripts/environment/integrations.py lists the same integrations, for their packages.
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

# All steps but the user's. The step "core_config" would set up a weather service, a
# radio and a speech service on the internet; the demo runs without the internet.
_ONBOARDING: Final = {"done": ["core_config", "analytics", "integration"]}


class Stage:
    """A simulated cloud and a Home Assistant that uses it."""

    def __init__(
        self,
        session: ClientSession,
        folder: Path,
        *,
        port: int,
        cloud_port: int,
        place: Place | None = None,
    ) -> None:
        """Prepare a stage whose Home Assistant has its configuration in a folder.

        The home is where the folder's configuration has it, else in the given place,
        else where it is noon now.
        """
        self.folder = folder
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
        """Start or restart Home Assistant, and log in. Raises DemoError."""
        await self.home_assistant_program.stop()
        await self.home_assistant_program.start(self.home_assistant.is_up)
        await self.home_assistant.log_in()
        is_running = self.home_assistant.is_running
        await until("Home Assistant to start", is_running, seconds=120)


@asynccontextmanager
async def open_stage(
    folder: Path, *, port: int, cloud_port: int, place: Place | None = None
) -> AsyncGenerator[Stage]:
    """Run a stage. Raises DemoError if a program does not start."""
    async with ClientSession() as session:
        stage = Stage(session, folder, port=port, cloud_port=cloud_port, place=place)
        programs = (stage.home_assistant_program, stage.cloud_program)
        for program in programs:
            program.log.unlink(missing_ok=True)
        try:
            await stage.cloud_program.start(lambda: stage.cloud.get("clock"))
            await stage.start_home_assistant()
            yield stage
        finally:
            for program in programs:
                await program.stop()


@asynccontextmanager
async def temporary_stage(place: Place | None = None) -> AsyncGenerator[Stage]:
    """Run a stage on free ports in a folder that is kept only after an error."""
    folder = Path(tempfile.mkdtemp(prefix="enphase-cloud-"))
    has_failed = False
    try:
        async with open_stage(
            folder, port=_free_port(), cloud_port=_free_port(), place=place
        ) as stage:
            yield stage
    except Exception:
        has_failed = True
        print(f"\nLogs and storage are in {folder}")
        raise
    finally:
        if not has_failed:
            shutil.rmtree(folder)


def _free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _place_of(folder: Path) -> Place | None:
    """Return the home's place if the integration is set up in a folder, else None.

    The home stays there, so that its history keeps its days.
    """
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
    """Prepare the folder for a start on a port; keep the user's data in it."""
    storage = folder / ".storage"
    storage.mkdir(parents=True, exist_ok=True)
    configuration = _CONFIGURATION.format(place=place)
    (folder / "configuration.yaml").write_text(configuration, "utf-8")
    _store(storage / "http", _http(port), version=3)
    if not (storage / "onboarding").exists():
        _store(storage / "onboarding", _ONBOARDING, version=4)
    # The frontend adds the user's automations to this file.
    (folder / "automations.yaml").touch()
    link = folder / "custom_components"
    link.unlink(missing_ok=True)
    link.symlink_to(CHECKOUT / "custom_components")
    # Copied: Home Assistant does not follow a link here.
    shutil.copytree(CHECKOUT / "blueprints", folder / "blueprints", dirs_exist_ok=True)


def _http(port: int) -> dict[str, Any]:
    """Return an address as Home Assistant stores it after a user has confirmed it.

    An address from the YAML configuration would expire after five minutes.
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
    """Write a file of Home Assistant's storage."""
    stored = {"version": version, "minor_version": 1, "key": path.name, "data": data}
    path.write_text(json.dumps(stored))
