"""The client as a package of its own: a wheel, installed in an empty environment."""

from pathlib import Path
import shutil

from .interpreter import find_python, uv
from .paths import CACHE, CHECKOUT
from .steps import StepError, require_writable, run, step

CLIENT = "client"
_ADVICE = (
    "See .cache/setup.log. After a network error, start again;"
    " otherwise check client/pyproject.toml."
)


def prepare_client() -> Path:
    """Build the wheel and install it in a new environment; return its Python.

    Earlier ones are replaced. Raises StepError.
    """
    require_writable()
    folder = CACHE / CLIENT
    wheels, environment = folder / "wheels", folder / "environment"
    shutil.rmtree(folder, ignore_errors=True)
    interpreter = ["--python", find_python()]
    source = CHECKOUT / "client"
    with step("Building the wheel of the client"):
        build = [uv(), "build", "--wheel", "--out-dir", wheels, source]
        run([*build, *interpreter], advice=_ADVICE)
    if len(built := list(wheels.glob("*.whl"))) != 1:
        raise StepError(f"{len(built)} wheels were built instead of one", _ADVICE)
    python = environment / "bin" / "python"
    with step(f"Installing {built[0].name} in an empty environment"):
        run([uv(), "venv", "--quiet", *interpreter, environment], advice=_ADVICE)
        install = [uv(), "pip", "install", "--quiet", "--python", python]
        run([*install, built[0]], advice=_ADVICE)
    return python
