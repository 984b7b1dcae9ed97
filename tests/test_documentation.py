"""The documents say what is there, and what they point at exists."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
import json
from pathlib import Path
import re
from typing import Any
from urllib.parse import unquote

import pytest
import yaml

from custom_components.enphase_cloud.measurements.catalog import Source
from custom_components.enphase_cloud.quota.plans import PLANS
from custom_components.enphase_cloud.scheduling.forecast import preview
from custom_components.enphase_cloud.scheduling.weights import PolledDocument, Profile
from scripts.documentation.pages import PAGES, Page

CHECKOUT = Path(__file__).parents[1]
INTEGRATION = CHECKOUT / "custom_components" / "enphase_cloud"
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
TEXTS = json.loads((INTEGRATION / "translations" / "en.json").read_text("utf-8"))
DOCUMENTS = sorted(
    path
    for folder in (CHECKOUT, *map(CHECKOUT.joinpath, ("client", "docs", "simulator")))
    for path in folder.glob("*.md")
)

# Home Assistant's Integration Quality Scale.
RULES = {
    "bronze": """
        action-setup appropriate-polling brands common-modules config-flow
        config-flow-test-coverage dependency-transparency docs-actions docs-conditions
        docs-high-level-description docs-installation-instructions
        docs-removal-instructions docs-triggers entity-event-setup entity-unique-id
        has-entity-name runtime-data test-before-configure test-before-setup
        unique-config-entry
    """,
    "silver": """
        action-exceptions config-entry-unloading docs-configuration-parameters
        docs-installation-parameters entity-unavailable integration-owner
        log-when-unavailable parallel-updates reauthentication-flow test-coverage
    """,
    "gold": """
        devices diagnostics discovery discovery-update-info docs-data-update
        docs-examples docs-known-limitations docs-supported-devices
        docs-supported-functions docs-troubleshooting docs-use-cases dynamic-devices
        entity-category entity-device-class entity-disabled-by-default
        entity-translations exception-translations icon-translations
        reconfiguration-flow repair-issues stale-devices
    """,
    "platinum": "async-dependency inject-websession strict-typing",
}


LATEST = Source.LATEST
# What a system has by the README, the documents that it is asked for, and the one that
# is the freshest of them.
FRESHNESS = [
    ("panels only", {Source.SUMMARY}, Source.SUMMARY),
    ("and a consumption meter", {Source.SUMMARY, LATEST}, LATEST),
    ("and batteries", {Source.SUMMARY, LATEST, Source.BATTERY}, LATEST),
]


def _plain(text: str) -> str:
    """Return a text without emphasis and line breaks."""
    return re.sub(r"\s+", " ", re.sub(r"[*`]", "", text))


def _entities() -> Iterator[str]:
    for entities in TEXTS["entity"].values():
        for entity in entities.values():
            yield entity["name"]


def _labels() -> Iterator[str]:
    for flow in ("config", "options"):
        for step in TEXTS[flow]["step"].values():
            yield from step.get("data", {}).values()
    for flow in TEXTS["config_subentries"].values():
        for step in flow["step"].values():
            yield from step.get("data", {}).values()
            yield from step.get("menu_options", {}).values()


def _messages() -> Iterator[str]:
    """Yield what a user may be told when something is wrong."""
    for flow in ("config", "options"):
        yield from TEXTS[flow]["error"].values()
    for reason, text in TEXTS["config"]["abort"].items():
        if not reason.endswith("_successful"):
            yield text
    for flow in TEXTS["config_subentries"].values():
        yield from flow["error"].values()
        for reason, text in flow["abort"].items():
            if not reason.endswith("_successful"):
                yield text
    for exception in TEXTS["exceptions"].values():
        yield exception["message"]
    for issue in TEXTS["issues"].values():
        yield issue["title"]


def _beginning(text: str) -> str:
    """Return the first words of a message, as far as they are always the same."""
    return " ".join(re.split(r"[.{]", text)[0].split()[:4])


@pytest.mark.parametrize("name", sorted({*_entities(), "Battery"}))
def test_the_readme_lists_each_entity(name: str) -> None:
    """Under the name that users see."""
    assert re.search(rf"^\| \*\*{re.escape(name)}\*\* \|", README, re.MULTILINE)


@pytest.mark.parametrize("action", TEXTS["services"])
def test_the_readme_explains_each_action(action: str) -> None:
    """With its name, its address and its fields."""
    service = TEXTS["services"][action]
    title = f"### {service['name']}: `enphase_cloud.{action}`"
    assert title in README
    section = README.split(title)[1].split("\n### ")[0].split("\n## ")[0]
    for field in service.get("fields", {}):
        assert f"`{field}`" in section


@pytest.mark.parametrize("label", sorted(set(_labels())))
def test_the_readme_explains_each_field(label: str) -> None:
    """Of the set-up and of the options, under the name that users see."""
    assert label.lower() in _plain(README).lower()


@pytest.mark.parametrize(
    "beginning", sorted({_beginning(text) for text in _messages()})
)
def test_the_readme_helps_with_each_message(beginning: str) -> None:
    """A message can be found by its first words."""
    assert beginning in _plain(README)


@pytest.mark.parametrize(("has", "documents", "freshest"), FRESHNESS)
def test_the_readme_promises_no_fresher_data_than_planned(
    has: str, documents: set[Source], freshest: Source
) -> None:
    """The free plan's intervals by day and by night are those of the budget."""
    polled_documents = [PolledDocument("system", document) for document in documents]
    planned = preview(
        PLANS["watt"], profile=Profile.BALANCED, polled_documents=polled_documents
    )
    expected = planned.documents[freshest]
    row = next(line for line in README.splitlines() if line.startswith(f"| {has} |"))
    told = [int(minutes) for minutes in re.findall(r"every (\d+) min", row)]
    assert told == [
        pytest.approx(interval / timedelta(minutes=1), rel=0.05)
        for interval in (expected.by_day, expected.by_night)
        if interval is not None
    ]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_points_at_exists(document: Path) -> None:
    """Files, pictures and headings."""
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, heading = unquote(target).partition("#")
        path = (document.parent / file).resolve() if file else document
        assert path.exists(), target
        assert CHECKOUT in (path, *path.parents), f"{target} leaves the project"
        if heading:
            assert heading in _headings(path.read_text(encoding="utf-8")), target


def _headings(text: str) -> set[str]:
    """Return the addresses that headings have on a page."""
    outside = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    seen: Counter[str] = Counter()
    addresses = set()
    for title in re.findall(r"^#+ (.+)$", outside, re.MULTILINE):
        address = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        addresses.add(f"{address}-{seen[address]}" if seen[address] else address)
        seen[address] += 1
    return addresses


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_each_row_belongs_to_a_table(document: Path) -> None:
    """What follows a line break is shown as it stands."""
    text = document.read_text(encoding="utf-8")
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert re.match(r"\|.*\n\|[-:| ]+\|\n\|", table), table


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path.name)
def test_what_comes_from_the_code_is_what_it_says(page: Page) -> None:
    """Else one command writes it anew."""
    if changes := page.changes():
        pytest.fail(
            f"docs/{page.path.name} is not what the code says. Write it anew with "
            "scripts/document, or python -m scripts.documentation where everything is "
            "prepared:\n" + "\n".join(changes),
            pytrace=False,
        )


def test_each_picture_of_the_readme_has_a_text() -> None:
    """For those who cannot see it."""
    assert "![](" not in README


def _quality_scale() -> Mapping[str, Any]:
    text = (INTEGRATION / "quality_scale.yaml").read_text(encoding="utf-8")
    rules: Mapping[str, Any] = yaml.safe_load(text)["rules"]
    return rules


def test_the_quality_scale_names_each_rule_once() -> None:
    """None is forgotten, none is invented."""
    expected = [rule for rules in RULES.values() for rule in rules.split()]
    assert len(expected) == 54
    assert sorted(_quality_scale()) == sorted(expected)


def test_the_quality_scale_gives_reasons() -> None:
    """What is not done is explained."""
    for rule, entry in _quality_scale().items():
        status = entry if isinstance(entry, str) else entry["status"]
        assert status in ("done", "exempt", "todo"), rule
        assert status == "done" or entry["comment"], rule


def test_versions_agree() -> None:
    """The oldest Home Assistant is the one that is tested, and that users read of."""
    oldest = json.loads((CHECKOUT / "hacs.json").read_text("utf-8"))["homeassistant"]
    minor = oldest.rpartition(".")[0]
    floor = CHECKOUT / "scripts" / "environment" / "requirements" / "floor.txt"
    assert f"homeassistant=={minor}." in floor.read_text(encoding="utf-8")
    assert f"Home Assistant {minor} or newer" in README
    for blueprint in (CHECKOUT / "blueprints").rglob("*.yaml"):
        assert f"min_version: {oldest}" in blueprint.read_text(encoding="utf-8")

    version = json.loads((INTEGRATION / "manifest.json").read_text("utf-8"))["version"]
    for folder in (CHECKOUT, CHECKOUT / "client"):
        project = (folder / "pyproject.toml").read_text(encoding="utf-8")
        assert f'\nversion = "{version}"\n' in project
