"""The virtual environments: one per Home Assistant version and purpose."""

from dataclasses import dataclass
import hashlib
from pathlib import Path
import shutil

from .interpreter import find_python, uv
from .paths import CHECKOUT, REQUIREMENTS, TOOLS, VIRTUAL_ENVIRONMENTS
from .steps import require_writable, run, step

_ADVICE = (
    "Look at .cache/setup.log; if the network was the reason, just start again:"
    " what was fetched is kept."
)


@dataclass(frozen=True, slots=True)
class Lane:
    """What one virtual environment holds."""

    requirements: tuple[Path, ...]
    overrides: tuple[Path, ...] = ()
    with_integrations: bool = False


_TEST = CHECKOUT / "requirements_test.txt"
_NEWEST = REQUIREMENTS / "newest.txt"

LANES = {
    "plugin": Lane((_TEST,)),
    "floor": Lane((_TEST,), overrides=(REQUIREMENTS / "floor.txt",)),
    "newest": Lane((_TEST,), overrides=(_NEWEST,)),
    "bench": Lane((_TEST, REQUIREMENTS / "bench.txt")),
    "demo": Lane((_NEWEST,), with_integrations=True),
    "browser": Lane((REQUIREMENTS / "screenshots.txt", REQUIREMENTS / "browser.txt")),
}


def prepare(name: str) -> Path:
    """Make the virtual environment of a lane unless it is up to date.

    Returns its Python. Raises StepError.
    """
    lane = LANES[name]
    folder = VIRTUAL_ENVIRONMENTS / name
    python = folder / "bin" / "python"
    stamp = folder / ".prepared"
    wanted = _fingerprint(lane)
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    require_writable()
    print(f"Preparing the {name} environment (once)", flush=True)
    interpreter = find_python()
    with step("Creating the virtual environment"):
        run(
            [uv(), "venv", "--quiet", "--clear", "--python", interpreter, folder],
            advice=_ADVICE,
        )
    with step("Installing Home Assistant and tools"):
        _install(python, *_files("-r", lane.requirements), overrides=lane.overrides)
    if lane.with_integrations:
        with step("Installing what Home Assistant's own integrations need"):
            _install_integrations(python)
    stamp.write_text(wanted)
    return python


def _install(python: Path, *what: str | Path, overrides: tuple[Path, ...] = ()) -> None:
    run(
        [
            *(uv(), "pip", "install", "--quiet", "--python", python),
            *_files("--override", overrides),
            *what,
        ],
        advice=_ADVICE,
        env=_compiler(),
    )


def _install_integrations(python: Path) -> None:
    """Install the requirements that Home Assistant would fetch at its start."""
    listed = VIRTUAL_ENVIRONMENTS / "demo" / "integrations.txt"
    run(
        [python, Path(__file__).with_name("integrations.py"), listed],
        advice=_ADVICE,
    )
    constraints = next(python.parents[1].glob("lib/*/site-packages/homeassistant"))
    _install(python, "-r", listed, "-c", constraints / "package_constraints.txt")


def _compiler() -> dict[str, str]:
    """Two small audio packages are built from source; find something to do it."""
    if shutil.which("cc") or shutil.which("gcc"):
        return {}
    folder = TOOLS / "zig"
    if not (zig := folder / "ziglang" / "zig").exists():
        with step("Fetching a C compiler, this machine has none"):
            run(
                [uv(), "pip", "install", "--quiet", "--target", folder, "ziglang"],
                advice="Install a C compiler (Debian: `apt-get install gcc g++`)"
                " and start again.",
            )
    wrappers = folder / "wrappers"
    wrappers.mkdir(exist_ok=True)
    for name, mode in (("cc", "cc"), ("c++", "c++"), ("ar", "ar")):
        wrapper = wrappers / name
        wrapper.write_text(f'#!/bin/sh\nexec "{zig}" {mode} "$@"\n')
        wrapper.chmod(0o755)
    return {
        "CC": str(wrappers / "cc"),
        "CXX": str(wrappers / "c++"),
        "AR": str(wrappers / "ar"),
        "LDSHARED": f"{wrappers / 'cc'} -shared",
    }


def _files(option: str, files: tuple[Path, ...]) -> list[str | Path]:
    return [part for file in files for part in (option, file)]


def _fingerprint(lane: Lane) -> str:
    digest = hashlib.sha256(str(CHECKOUT).encode())
    for file in (*lane.requirements, *lane.overrides, Path(__file__)):
        digest.update(file.read_bytes())
    if lane.with_integrations:
        digest.update(Path(__file__).with_name("integrations.py").read_bytes())
    return digest.hexdigest()
