"""The time that importing an integration takes, in a new interpreter."""

from collections.abc import Iterable
import json
import os
import subprocess
import sys
from typing import Final

# All modules of an integration, as Home Assistant imports them for its platforms. Home
# Assistant's own modules may be imported already.
_IMPORTING: Final = """
import importlib, json, pkgutil, sys, time
import homeassistant.bootstrap
name, *before = json.loads(sys.argv[1])
for module in before:
    importlib.import_module(module)
began = time.process_time()
package = importlib.import_module(name)
for module in pkgutil.iter_modules(package.__path__):
    if not module.ispkg:
        importlib.import_module(f"{name}.{module.name}")
took = time.process_time() - began
print(json.dumps([took, [
    module for module in sys.modules
    if module.startswith("homeassistant.") and not module.startswith(name)
]]))
"""


def parts_of_home_assistant(name: str) -> list[str]:
    """Return the modules of Home Assistant that an integration imports."""
    return _run(name, [])[1]


def seconds(name: str, before: Iterable[str]) -> float:
    """Return the processor time [s] of importing modules after others."""
    return _run(name, before)[0]


def _run(name: str, before: Iterable[str]) -> tuple[float, list[str]]:
    # Home Assistant, too, compiles custom integrations only once.
    compiles = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    result = subprocess.run(
        [sys.executable, "-c", _IMPORTING, json.dumps([name, *before])],
        env=compiles,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    took, modules = json.loads(result.stdout.splitlines()[-1])
    return took, modules
