"""The client as a package of its own: its examples run, and its README shows them."""

from pathlib import Path
import re
import sys
import tomllib

import pytest

from custom_components.enphase_cloud import api
from custom_components.enphase_cloud.api import models
from scripts.client.trial import EXAMPLES, Trial, TrialError, simulated_cloud

CLIENT = EXAMPLES.parent


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return a folder that has the client, under the name of its package."""
    (tmp_path / "enphase_cloud_api").symlink_to(Path(api.__file__).parent)
    return tmp_path


def test_examples_run_beside_a_simulated_cloud(
    socket_enabled: None, package: Path, tmp_path: Path
) -> None:
    """They run in a folder of their own; only the owner may read the tokens."""
    with simulated_cloud() as url:
        environment = {"PYTHONPATH": str(package)}
        trial = Trial(Path(sys.executable), url, tmp_path, environment)
        names = [line.partition(":")[0] for line in trial.run_all()]
        with pytest.raises(TrialError, match=r"overview\.py failed:\nSign in first"):
            Trial(trial.python, url, package.parent, environment).run("overview.py")
    programs = {path.name for path in EXAMPLES.glob("*.py")} - {"account.py"}
    assert set(names) == programs
    assert (tmp_path / "enphase-tokens.json").stat().st_mode & 0o077 == 0


def test_readme_snippets_are_parts_of_examples() -> None:
    readme = (CLIENT / "README.md").read_text(encoding="utf-8")
    examples = [_lines(path.read_text(encoding="utf-8")) for path in _examples()]
    snippets = re.findall(r"^```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    assert snippets
    for snippet in snippets:
        assert any(_lines(snippet) in example for example in examples), snippet


def test_readme_lists_each_example() -> None:
    readme = (CLIENT / "README.md").read_text(encoding="utf-8")
    for path in _examples():
        assert f"](examples/{path.name})" in readme


def test_readme_names_only_existing_errors() -> None:
    readme = (CLIENT / "README.md").read_text(encoding="utf-8")
    for name in re.findall(r"`(\w+Error)`", readme):
        assert name in api.__all__


def test_every_type_of_the_signatures_can_be_imported() -> None:
    """Models, and what a gate or an authorization has to have."""
    assert {*models.__all__, "Attempt"} <= {*api.__all__}
    assert all(hasattr(api, name) for name in api.__all__)
    assert sorted(set(api.__all__)) == sorted(api.__all__)


def test_package_needs_only_aiohttp() -> None:
    """It needs the same Python as the integration."""
    client, integration = (
        tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
        for folder in (CLIENT, CLIENT.parent)
    )
    (dependency,) = client["dependencies"]
    assert re.split(r"\W", dependency)[0] == "aiohttp"
    assert client["requires-python"] == integration["requires-python"]


def _examples() -> list[Path]:
    return sorted(EXAMPLES.glob("*.py"))


def _lines(text: str) -> str:
    """Return code without indentation."""
    return "\n".join(map(str.strip, text.strip().splitlines()))
