"""Measure the start: python -m scripts.benchmarks.startup [--json] [--quick]."""

from typing import Final

from ..report import command_line, tell
from . import importing, setting_up
from .setting_up import OURS, RIVAL

_TIMES: Final = 5
_QUICK_TIMES: Final = 1
_MODULES: Final = {
    OURS: f"custom_components.{OURS}",
    RIVAL: f"homeassistant.components.{RIVAL}",
}


def main() -> None:
    """Measure both in turns; the least times count, as others use the machine."""
    arguments = command_line("startup", __doc__, quick="each only once").parse_args()
    rounds = range(_QUICK_TIMES if arguments.quick else _TIMES)
    parts = {
        name: importing.parts_of_home_assistant(module)
        for name, module in _MODULES.items()
    }
    imports = [
        {name: importing.seconds(_MODULES[name], parts[name]) for name in _MODULES}
        for _ in rounds
    ]
    # The first run imports what the later ones find imported.
    set_ups = [
        {name: setting_up.seconds(name) for name in _MODULES} for _ in (-1, *rounds)
    ][1:]
    least = {"import": _least(imports), "setup": _least(set_ups)}
    ratios = {
        f"{what}_ratio": round(times[OURS] / times[RIVAL], 3)
        for what, times in least.items()
    }
    lines = [
        f"{what}: {1_000 * times[OURS]:.1f} ms of processor time, "
        f"{RIVAL} {1_000 * times[RIVAL]:.1f} ms"
        for what, times in least.items()
    ]
    tell(arguments, lines, ratios)


def _least(measured: list[dict[str, float]]) -> dict[str, float]:
    return {name: min(each[name] for each in measured) for name in _MODULES}


if __name__ == "__main__":
    main()
