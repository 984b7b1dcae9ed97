"""The benchmark of robustness in small, so that it goes on measuring what is there."""

import json
from pathlib import Path
import subprocess
import sys

import pytest

CHECKOUT = Path(__file__).parent.parent


@pytest.mark.long
def test_absurd_inputs_raise_what_is_documented() -> None:
    """And none takes long; scripts/bench robustness tries millions."""
    benchmark = "scripts.benchmarks.robustness"
    result = subprocess.run(
        [sys.executable, "-m", benchmark, "--quick", "--json"],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    figures = json.loads(result.stdout.splitlines()[-1])
    assert figures.pop("inputs") > 5_000, result.stdout
    assert figures.pop("slowest_ms") < 100, result.stdout
    assert figures.pop("sequences") > 0
    assert figures == {"unexpected": 0, "overruns": 0, "deadlocks": 0}, result.stdout
