"""Manifest, HACS metadata and requirements are consistent."""

import json
from pathlib import Path
import re
from typing import Any

import homeassistant
from homeassistant.core import HomeAssistant
from homeassistant.loader import async_get_custom_components
from homeassistant.util.yaml import load_yaml_dict
import pytest

from custom_components.enphase_cloud.const import DOMAIN

from .flows import INTEGRATION

ROOT = INTEGRATION.parent.parent
REQUIREMENTS = ROOT / "scripts" / "environment" / "requirements"

BRONZE = """
action-setup appropriate-polling brands common-modules config-flow
config-flow-test-coverage dependency-transparency docs-actions docs-conditions
docs-high-level-description docs-installation-instructions docs-removal-instructions
docs-triggers entity-event-setup entity-unique-id has-entity-name runtime-data
test-before-configure test-before-setup unique-config-entry
""".split()
SILVER = """
action-exceptions config-entry-unloading docs-configuration-parameters
docs-installation-parameters entity-unavailable integration-owner log-when-unavailable
parallel-updates reauthentication-flow test-coverage
""".split()
GOLD = """
devices diagnostics discovery discovery-update-info docs-data-update docs-examples
docs-known-limitations docs-supported-devices docs-supported-functions
docs-troubleshooting docs-use-cases dynamic-devices entity-category
entity-device-class entity-disabled-by-default entity-translations
exception-translations icon-translations reconfiguration-flow repair-issues
stale-devices
""".split()
PLATINUM = ["async-dependency", "inject-websession", "strict-typing"]


def _json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


@pytest.fixture
def manifest() -> dict[str, Any]:
    """Return the manifest with its keys in the order of the file."""
    return _json(INTEGRATION / "manifest.json")


@pytest.fixture
def hacs() -> dict[str, Any]:
    """Return the metadata for HACS."""
    return _json(ROOT / "hacs.json")


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def _pinned(requirements: str) -> str:
    """Return the version of Home Assistant in a file of requirements."""
    text = (REQUIREMENTS / requirements).read_text(encoding="utf-8")
    found = re.search(r"^homeassistant==([\d.]+)$", text, re.MULTILINE)
    assert found
    return found[1]


def test_manifest_keys_are_in_order(manifest: dict[str, Any]) -> None:
    """Domain and name come first, the others are sorted, as hassfest requires."""
    keys = list(manifest)
    assert keys[:2] == ["domain", "name"]
    assert keys[2:] == sorted(keys[2:])


def test_manifest_has_the_keys_of_custom_integrations(manifest: dict[str, Any]) -> None:
    """Home Assistant and HACS require them."""
    assert manifest["domain"] == DOMAIN == INTEGRATION.name
    assert _version(manifest["version"])
    assert manifest["codeowners"]
    assert manifest["config_flow"] is True
    assert manifest["requirements"] == []
    assert manifest["iot_class"] == "cloud_polling"
    for address in ("documentation", "issue_tracker"):
        assert manifest[address].startswith("https://")
    # Only integrations of Home Assistant itself have a quality scale level.
    assert "quality_scale" not in manifest


async def test_home_assistant_loads_the_manifest(
    hass: HomeAssistant, enable_custom_integrations: None, manifest: dict[str, Any]
) -> None:
    """The manifest is valid, and all its dependencies exist."""
    integration = (await async_get_custom_components(hass))[DOMAIN]
    assert str(integration.version) == manifest["version"]
    assert await integration.resolve_dependencies()
    assert "application_credentials" in integration.dependencies


async def test_categories_exist_in_home_assistant(
    hass: HomeAssistant, manifest: dict[str, Any]
) -> None:
    """Versions before 2026.11 have no categories, and ignore them in the manifest."""
    generated = Path(homeassistant.__file__).parent / "generated"
    path = generated / "integration_categories.json"
    if not path.exists():
        pytest.skip("This Home Assistant knows no categories")
    known = {
        f"{group['slug']}.{each['slug']}"
        for group in json.loads(path.read_text(encoding="utf-8"))
        for each in group["subcategories"]
    }
    path = generated / "integration_connectivity.json"
    ways = {way["slug"] for way in json.loads(path.read_text(encoding="utf-8"))}
    assert set(manifest["categories"]) <= known
    assert set(manifest["connectivity"]) <= ways


def test_hacs_requires_the_version_of_the_floor_lane(hacs: dict[str, Any]) -> None:
    """The floor lane tests the same release, with the same or a later patch."""
    promised, tested = _version(hacs["homeassistant"]), _version(_pinned("floor.txt"))
    assert promised[:2] == tested[:2]
    assert promised <= tested <= _version(_pinned("newest.txt"))


def test_hacs_downloads_the_archive_of_a_release(
    hacs: dict[str, Any], manifest: dict[str, Any]
) -> None:
    """HACS and the release use the same name for the archive."""
    assert hacs["name"] == manifest["name"]
    assert hacs["zip_release"] is True
    assert hacs["filename"] == f"{DOMAIN}.zip"


def test_quality_scale_is_complete() -> None:
    """Each rule has a status, and each exemption has a comment."""
    rules = load_yaml_dict(str(INTEGRATION / "quality_scale.yaml"))["rules"]
    assert sorted(rules) == sorted([*BRONZE, *SILVER, *GOLD, *PLATINUM])
    for name, answer in rules.items():
        status = answer if isinstance(answer, str) else answer["status"]
        assert status in {"done", "exempt"}, name
        if status == "exempt":
            assert answer["comment"], name
