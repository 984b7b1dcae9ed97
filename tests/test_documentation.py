"""The documentation is complete, and its links and pictures exist."""

from collections import Counter
from collections.abc import Iterator, Mapping
import json
from pathlib import Path
import re
from typing import Any
from urllib.parse import unquote

import pytest
import yaml

from custom_components.enphase_cloud.api.access import Access
from custom_components.enphase_cloud.documents.base import Group
from custom_components.enphase_cloud.quota.plans import PLANS
from scripts.documentation.pages import PAGES, Page

CHECKOUT = Path(__file__).parents[1]
INTEGRATION = CHECKOUT / "custom_components" / "enphase_cloud"
README = CHECKOUT / "README.md"
IMAGES = CHECKOUT / "docs" / "images"
TEXTS = json.loads((INTEGRATION / "translations" / "en.json").read_text("utf-8"))
DOCUMENTS = sorted(
    path
    for folder in (CHECKOUT, *map(CHECKOUT.joinpath, ("client", "docs", "simulator")))
    for path in folder.glob("*.md")
)

PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)\s:]+)\)")

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


def _page(name: str) -> str:
    """Return a page of the documentation for users."""
    return (CHECKOUT / "docs" / f"{name}.md").read_text(encoding="utf-8")


def _plain(text: str) -> str:
    """Return a text without emphasis and line breaks."""
    return re.sub(r"\s+", " ", re.sub(r"[*`]", "", text))


def _entities() -> Iterator[str]:
    for entities in TEXTS["entity"].values():
        for entity in entities.values():
            yield entity["name"]


# The pages with the fields of a form.
FORMS = {"config": "setup", "options": "options"}
SUBENTRY_FORMS = {"array": "panels", "tariff": "energy-dashboard"}


def _labels() -> Iterator[tuple[str, str]]:
    """Yield the pages of forms with the names of their fields and choices."""
    flows = [(page, TEXTS[flow]) for flow, page in FORMS.items()]
    flows += [
        (page, TEXTS["config_subentries"][kind])
        for kind, page in SUBENTRY_FORMS.items()
    ]
    for page, flow in flows:
        for step in flow["step"].values():
            for texts in ("data", "menu_options"):
                yield from ((page, label) for label in step.get(texts, {}).values())


def _messages() -> Iterator[str]:
    """Yield the messages that a user may see after a failure."""
    flows = [TEXTS["config"], TEXTS["options"], *TEXTS["config_subentries"].values()]
    flows += [issue.get("fix_flow", {}) for issue in TEXTS["issues"].values()]
    for flow in flows:
        yield from flow.get("error", {}).values()
        for reason, text in flow.get("abort", {}).items():
            if not reason.endswith("_successful"):
                yield text
    yield from (each["message"] for each in TEXTS["exceptions"].values())
    yield from (issue["title"] for issue in TEXTS["issues"].values())


def _documented() -> list[str]:
    """Return patterns of the messages that the page of troubleshooting names."""
    tables = _page("troubleshooting").split("| Message |")[1:]
    rows = re.findall(r"^\| ([^|]+) \|", "".join(tables), re.MULTILINE)
    named = [each.strip() for row in rows for each in _plain(row).split(" · ")]
    return [re.sub(r"(\\ )?…(\\ )?", ".*", re.escape(each)) for each in named]


# Home Assistant names these by their device class.
NAMED_BY_CLASS = {"Battery", "Charging", "Plug", "Problem"}


@pytest.mark.parametrize("name", sorted({*_entities(), *NAMED_BY_CLASS}))
def test_each_entity_is_documented(name: str) -> None:
    """Under the name that users see."""
    row = rf"^\| \*\*{re.escape(name)}\*\* \|"
    assert re.search(row, _page("entities"), re.MULTILINE)


@pytest.mark.parametrize("action", TEXTS["services"])
def test_each_action_is_documented(action: str) -> None:
    """With its name, its address and its fields."""
    service = TEXTS["services"][action]
    title = f"### {service['name']}: `enphase_cloud.{action}`"
    section = _page("actions").split(title)[1].split("\n### ")[0]
    for field in service.get("fields", {}):
        assert f"`{field}`" in section


@pytest.mark.parametrize(("page", "label"), sorted(set(_labels())))
def test_each_field_is_documented(page: str, label: str) -> None:
    """Under the name that users see, in the page of its form."""
    assert label.lower() in _plain(_page(page)).lower()


@pytest.mark.parametrize("group", Group)
def test_each_group_of_data_is_documented(group: Group) -> None:
    """Under the name that the option has."""
    label = TEXTS["selector"]["groups"]["options"][group].split(" (")[0]
    assert re.search(rf"^\| {re.escape(label)}\b.*\|", _page("options"), re.MULTILINE)


@pytest.mark.parametrize("access", Access)
def test_each_access_control_is_documented(access: Access) -> None:
    """With the smallest plan that offers it."""
    plan = next(key for key, plan in PLANS.items() if access in plan.access)
    row = rf"^\| {access} \| {plan.capitalize()} \| .+ \|$"
    assert re.search(row, _page("setup"), re.MULTILINE)


@pytest.mark.parametrize("message", sorted({_plain(text) for text in _messages()}))
def test_each_message_is_documented(message: str) -> None:
    """A message can be found by its first words."""
    assert any(re.match(pattern, message) for pattern in _documented())


@pytest.mark.parametrize("pattern", _documented())
def test_each_documented_message_exists(pattern: str) -> None:
    """Each row of the troubleshooting page matches a message."""
    assert any(re.match(pattern, _plain(text)) for text in _messages())


def test_readme_is_short_and_links_to_each_page() -> None:
    """Details are on pages of their own."""
    text = README.read_text(encoding="utf-8")
    assert len(text.encode()) < 11_000
    for page in (CHECKOUT / "docs").glob("*.md"):
        assert f"](docs/{page.name})" in text or page.stem == "budget"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_targets_of_links_exist(document: Path) -> None:
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
    """A row after a line break would not be part of the table."""
    text = document.read_text(encoding="utf-8")
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert re.match(r"\|.*\n\|[-:| ]+\|\n\|", table), table


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path.name)
def test_generated_text_of_page_is_that_of_the_code(page: Page) -> None:
    """One command writes it again."""
    if changes := page.changes():
        pytest.fail(
            f"docs/{page.path.name} differs from the code. Write it again with "
            "scripts/document, or python -m scripts.documentation where everything is "
            "prepared:\n" + "\n".join(changes),
            pytrace=False,
        )


def test_each_picture_has_a_text_and_is_shown() -> None:
    """The text is for users who cannot see it; no picture is unused."""
    shown = set()
    for document in DOCUMENTS:
        for text, target in PICTURE.findall(document.read_text(encoding="utf-8")):
            assert text, target
            shown.add((document.parent / target).resolve())
    assert set(IMAGES.iterdir()) <= shown


def _quality_scale() -> Mapping[str, Any]:
    text = (INTEGRATION / "quality_scale.yaml").read_text(encoding="utf-8")
    rules: Mapping[str, Any] = yaml.safe_load(text)["rules"]
    return rules


def test_quality_scale_names_each_rule_once() -> None:
    """No rule is missing, and none is unknown."""
    expected = [rule for rules in RULES.values() for rule in rules.split()]
    assert len(expected) == 54
    assert sorted(_quality_scale()) == sorted(expected)


def test_quality_scale_gives_reasons_for_open_rules() -> None:
    """A rule that is not done has a comment."""
    for rule, entry in _quality_scale().items():
        status = entry if isinstance(entry, str) else entry["status"]
        assert status in ("done", "exempt", "todo"), rule
        assert status == "done" or entry["comment"], rule


def test_versions_agree() -> None:
    """The oldest Home Assistant is the same in tests, pages and blueprints."""
    oldest = json.loads((CHECKOUT / "hacs.json").read_text("utf-8"))["homeassistant"]
    minor = oldest.rpartition(".")[0]
    floor = CHECKOUT / "scripts" / "environment" / "requirements" / "floor.txt"
    assert f"homeassistant=={minor}." in floor.read_text(encoding="utf-8")
    for page in (README.read_text(encoding="utf-8"), _page("setup")):
        assert f"Home Assistant {minor} or newer" in page
    for blueprint in (CHECKOUT / "blueprints").rglob("*.yaml"):
        assert f"min_version: {oldest}" in blueprint.read_text(encoding="utf-8")

    version = json.loads((INTEGRATION / "manifest.json").read_text("utf-8"))["version"]
    for folder in (CHECKOUT, CHECKOUT / "client"):
        project = (folder / "pyproject.toml").read_text(encoding="utf-8")
        assert f'\nversion = "{version}"\n' in project
