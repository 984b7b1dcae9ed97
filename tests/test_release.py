"""The GitHub workflows: checks, releases and updates of requirements.

Workflows cannot run here; what they are made of can be looked at, and the scripts that
they start run.
"""

from collections.abc import Iterator
from pathlib import Path
import re
import shutil
import subprocess
import sys
from typing import Any
from zipfile import ZipFile

import pytest
import yaml

from custom_components.enphase_cloud.quota.plans import PLANS
from scripts.environment.lanes import LANES

from .flows import INTEGRATION

CHECKOUT = INTEGRATION.parents[1]
WORKFLOWS = {
    path.stem: yaml.safe_load(path.read_text("utf-8"))
    for path in (CHECKOUT / ".github" / "workflows").glob("*.yml")
}
# YAML reads the key "on" as `True`.
TRIGGERS = True
EXPRESSION = re.compile(r"\$\{\{.*?\}\}")
PINNED = re.compile(r"uses: [\w./-]+@[0-9a-f]{40} # \S+")
OWNER = "@somebody"
PLACEHOLDER = "@enphase-cloud-maintainer"
NOTES = """\
## [1.2.3] - 2026-12-01

### Added

- It, as
  [a document](docs/it.md) explains.

## [1.2.2] - 2026-11-30

- Old.
"""


def _jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    for workflow in WORKFLOWS.values():
        yield from workflow["jobs"].items()


def _steps() -> Iterator[dict[str, Any]]:
    for _, job in _jobs():
        yield from job.get("steps", ())


def _commands() -> list[str]:
    return [step["run"] for step in _steps() if "run" in step]


@pytest.mark.parametrize("command", _commands())
def test_commands_are_valid_bash(command: str) -> None:
    """The scripts that they start exist and are executable."""
    plain = EXPRESSION.sub("expression", command)
    subprocess.run(["bash", "-n"], input=plain, text=True, check=True)
    for script in re.findall(r"\bscripts/\w+", command):
        assert (CHECKOUT / script).stat().st_mode & 0o100, script


@pytest.mark.parametrize("name", WORKFLOWS)
def test_permissions_are_granted_per_job_only(name: str) -> None:
    """Each job has a time limit of at most 30 min."""
    workflow = WORKFLOWS[name]
    assert workflow["permissions"] == {}
    for key, job in workflow["jobs"].items():
        assert set(job["permissions"]) <= {"contents"}, key
        assert "uses" in job or 0 < job["timeout-minutes"] <= 30, key
        assert set(job.get("needs", ())) <= set(workflow["jobs"]), key


def test_actions_are_pinned() -> None:
    """They are pinned to a commit, because a tag can be moved."""
    for path in (CHECKOUT / ".github" / "workflows").glob("*.yml"):
        for line in path.read_text("utf-8").splitlines():
            if "uses: " in line and "uses: ./" not in line:
                assert PINNED.search(line), line


def test_only_the_publish_job_may_write() -> None:
    writing = [
        key for key, job in _jobs() if job["permissions"].get("contents") == "write"
    ]
    assert writing == ["publish"]


def test_release_needs_all_checks() -> None:
    """It is published after style, tests and the rules of Home Assistant and HACS."""
    jobs = WORKFLOWS["release"]["jobs"]
    called = {job["uses"] for job in jobs.values() if "uses" in job}
    others = set(WORKFLOWS) - {"release"}
    assert called == {f"./.github/workflows/{name}.yml" for name in others}
    assert set(jobs["publish"]["needs"]) == set(jobs) - {"publish"}
    for name in others:
        assert "workflow_call" in WORKFLOWS[name][TRIGGERS]
    used = {step["uses"].partition("@")[0] for step in _steps() if "uses" in step}
    assert used >= {"home-assistant/actions/hassfest", "hacs/action"}


def test_each_home_assistant_and_database_is_tested() -> None:
    """The floor and the newest, SQLite and PostgreSQL, on all cores."""
    job = WORKFLOWS["test"]["jobs"]["test"]
    matrix = job["strategy"]["matrix"]["include"]
    runs = {(run["version"], run["database"]) for run in matrix}
    assert [run["version"] for run in matrix if "coverage" in run] == ["plugin"]
    assert runs == {
        *((version, "sqlite") for version in ("floor", "plugin", "newest")),
        ("plugin", "postgresql"),
    }
    assert {version for version, _ in runs} <= set(LANES)
    (command,) = [
        step["run"] for step in job["steps"] if "scripts/test" in step.get("run", "")
    ]
    assert "--all --ha ${{ matrix.version }} --db ${{ matrix.database }}" in command
    assert "-n auto" in (CHECKOUT / "scripts" / "test").read_text("utf-8")


def _updates(ecosystem: str) -> dict[str, Any]:
    path = CHECKOUT / ".github" / "dependabot.yml"
    (found,) = [
        update
        for update in yaml.safe_load(path.read_text("utf-8"))["updates"]
        if update["package-ecosystem"] == ecosystem
    ]
    update: dict[str, Any] = found
    return update


def test_dependabot_covers_each_folder_of_requirements() -> None:
    """Its folders are exactly those with a file of requirements."""
    files = {
        *(CHECKOUT / "scripts").rglob("requirements/*.txt"),
        *CHECKOUT.glob("requirements*.txt"),
        *CHECKOUT.glob("*/pyproject.toml"),
    }
    folders = {
        f"/{file.parent.relative_to(CHECKOUT)}".replace("/.", "/") for file in files
    }
    assert len(folders) == 3
    assert folders == set(_updates("pip")["directories"])
    assert _updates("github-actions")["directory"] == "/"


def test_packages_ignored_by_dependabot_are_required() -> None:
    """They determine the version of Home Assistant, or are determined by it."""
    texts = [
        path.read_text("utf-8")
        for path in (
            CHECKOUT / "requirements_test.txt",
            *(CHECKOUT / "scripts").rglob("requirements/*.txt"),
        )
    ]
    required = set(re.findall(r"^([\w.-]+)==", "\n".join(texts), re.MULTILINE))
    left = {entry["dependency-name"] for entry in _updates("pip")["ignore"]}
    assert left <= required
    assert {"homeassistant", "pytest-homeassistant-custom-component"} <= left


def test_documents_linked_in_issue_forms_exist() -> None:
    """A document that moves would break its link."""
    here = "https://github.com/enphase-cloud/enphase-cloud/blob/main/"
    forms = (CHECKOUT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")
    texts = [path.read_text("utf-8") for path in forms]
    for text in texts:
        assert yaml.safe_load(text)
    documents = re.findall(rf"{re.escape(here)}([\w./-]+\w)", "".join(texts))
    assert len(documents) == 2
    for document in documents:
        assert (CHECKOUT / document).is_file()
    plans = [plan.title() for plan in PLANS]
    for text in (text for text in texts if "id: plan" in text):
        assert f"options: [{', '.join([*plans, 'Other'])}]" in text


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project that can be released as 1.2.3."""
    files = {
        "custom_components/enphase_cloud/manifest.json": (
            f'{{"domain": "enphase_cloud", "codeowners": ["{OWNER}"],'
            ' "documentation": "https://example.com", "version": "1.2.3"}'
        ),
        "custom_components/enphase_cloud/api/__init__.py": "",
        "custom_components/enphase_cloud/__pycache__/setup.cpython-314.pyc": "",
        "pyproject.toml": '[project]\nversion = "1.2.3"\n',
        "client/pyproject.toml": '[project]\nversion = "1.2.3"\n',
        "CHANGELOG.md": NOTES,
        ".github/CODEOWNERS": f"* {OWNER}\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    (tmp_path / "scripts").mkdir()
    shutil.copy(CHECKOUT / "scripts" / "package", tmp_path / "scripts")
    return tmp_path


def _package(project: Path, *tag: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, project / "scripts" / "package", *tag],
        capture_output=True,
        text=True,
        check=False,
    )


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def test_archive_has_the_files_of_the_integration(project: Path) -> None:
    """HACS requires it without the folder itself; compiled files are excluded."""
    release = project / ".cache" / "release"
    archives = []
    for _ in range(2):
        packed = _package(project, "v1.2.3")
        assert packed.returncode == 0, packed.stderr
        assert packed.stdout == ".cache/release/enphase_cloud.zip\n"
        archives.append((release / "enphase_cloud.zip").read_bytes())
    assert archives[0] == archives[1]
    with ZipFile(release / "enphase_cloud.zip") as archive:
        assert archive.namelist() == ["api/__init__.py", "manifest.json"]
    assert (release / "notes.md").read_text("utf-8").splitlines() == [
        "### Added",
        "",
        "- It, as [a document](https://example.com/blob/v1.2.3/docs/it.md) explains.",
    ]


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        (None, "", "", "The tag is v1.2.4, but the manifest says 1.2.3"),
        (
            "client/pyproject.toml",
            "1.2.3",
            "1.2.2",
            "client/pyproject.toml has another",
        ),
        ("pyproject.toml", "1.2.3", "1.2.2", "pyproject.toml has another version"),
        (
            "CHANGELOG.md",
            "[1.2.3] - 2026-12-01",
            "[Unreleased]",
            "has no dated section",
        ),
        (".github/CODEOWNERS", OWNER, PLACEHOLDER, f"{PLACEHOLDER} is a placeholder"),
        (
            "custom_components/enphase_cloud/manifest.json",
            OWNER,
            PLACEHOLDER,
            f"{PLACEHOLDER} is a placeholder",
        ),
    ],
)
def test_unready_project_is_not_released(
    project: Path, file: str | None, old: str, new: str, told: str
) -> None:
    """The script prints the reason; an archive for a trial is still built."""
    if file is not None:
        _replace(project / file, old, new)
    packed = _package(project, "v1.2.4" if file is None else "v1.2.3")
    assert packed.returncode == 1
    assert told in packed.stderr
    assert not (project / ".cache").exists()
    assert _package(project).returncode == 0


def test_placeholder_is_explained() -> None:
    """It stands in two files until it is replaced by a person."""
    owners = (CHECKOUT / ".github" / "CODEOWNERS").read_text("utf-8")
    manifest = (INTEGRATION / "manifest.json").read_text("utf-8")
    assert (PLACEHOLDER in owners) is (PLACEHOLDER in manifest)
    if PLACEHOLDER in owners:
        assert f"`{PLACEHOLDER}`" in (CHECKOUT / "CONTRIBUTING.md").read_text("utf-8")
