"""List the packages that the demo's integrations ask for.

Runs inside the demo's environment: `integrations.py FILE` writes a requirements file.
"""

from collections.abc import Iterator
import json
from pathlib import Path
import sys

import homeassistant
from homeassistant.bootstrap import DEFAULT_INTEGRATIONS

# Home Assistant's `default_config` without what a demo never shows.
INTEGRATIONS = (
    "application_credentials",
    "automation",
    "config",
    "energy",
    "frontend",
    "history",
    "logbook",
    "recorder",
    "sun",
    "system_health",
)


def main(target: Path) -> None:
    """Write the requirements of the integrations and all they depend on."""
    components = Path(homeassistant.__file__).parent / "components"
    requirements = {
        requirement
        # Home Assistant sets up its own choice as well, whatever is named.
        for domain in _with_dependencies(
            components, {*INTEGRATIONS, *DEFAULT_INTEGRATIONS}
        )
        for requirement in _manifest(components, domain).get("requirements", ())
    }
    target.write_text("".join(f"{line}\n" for line in sorted(requirements)))


def _with_dependencies(components: Path, domains: set[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(domains)
    while waiting:
        domain = waiting.pop()
        if domain not in found:
            found.add(domain)
            waiting.extend(_needed(_manifest(components, domain)))
    return found


def _needed(manifest: dict[str, list[str]]) -> Iterator[str]:
    yield from manifest.get("dependencies", ())
    yield from manifest.get("after_dependencies", ())


def _manifest(components: Path, domain: str) -> dict[str, list[str]]:
    path = components / domain / "manifest.json"
    manifest: dict[str, list[str]] = json.loads(path.read_text())
    return manifest


if __name__ == "__main__":
    main(Path(sys.argv[1]))
