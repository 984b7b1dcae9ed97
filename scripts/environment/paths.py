"""Paths of what set-up creates, all inside the checkout."""

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
REQUIREMENTS = Path(__file__).resolve().parent / "requirements"
CACHE = CHECKOUT / ".cache"
TOOLS = CACHE / "tools"
PRIVATE_PYTHON = CACHE / "python"
LOG = CACHE / "setup.log"
VIRTUAL_ENVIRONMENTS = CHECKOUT / ".venv"
