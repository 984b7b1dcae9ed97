"""The configuration folder of the demo's Home Assistant."""

import json
from pathlib import Path
import shutil
from typing import Any, Final

from .processes import LOOPBACK

CHECKOUT: Final = Path(__file__).resolve().parents[2]
DEMO_FOLDER: Final = CHECKOUT / "demo"

# `integrations.py` lists the same integrations, for what they need installed.
_CONFIGURATION: Final = """\
homeassistant:
  auth_mfa_modules: []
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
    custom_components.enphase_cloud: {level}
    homeassistant.util.package: info
recorder:
sun:
system_health:
"""

# The step "core_config" of the onboarding would set up a weather service, a radio
# and a speech service, all on the internet. The demo is a closed world: it tells
# Home Assistant where it stands by another command.
_ONBOARDING: Final = {"done": ["core_config"]}


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


def prepare(folder: Path, *, port: int, log_level: str = "info") -> None:
    """Make the folder ready for a start on a port; what is in it stays.

    `log_level` is the log level of the integration.
    """
    storage = folder / ".storage"
    storage.mkdir(parents=True, exist_ok=True)
    (folder / "configuration.yaml").write_text(_CONFIGURATION.format(level=log_level))
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


def remove(folder: Path) -> None:
    """Forget everything that Home Assistant has stored."""
    shutil.rmtree(folder, ignore_errors=True)


def _store(path: Path, data: dict[str, Any], *, version: int) -> None:
    """Write what Home Assistant is to find in its storage."""
    stored = {"version": version, "minor_version": 1, "key": path.name, "data": data}
    path.write_text(json.dumps(stored))
