"""The rules of hassfest and HACS that can be checked without these tools.

Both run in CI (`.github/workflows/validate.yml`); neither is on PyPI. These are their
rules that a change of this project may break.
"""

import ast
from collections.abc import Iterator
import json
import re
from typing import Any

from homeassistant.helpers import config_validation as cv, selector
from homeassistant.util.yaml import load_yaml_dict
import pytest

from .flows import ENGLISH, INTEGRATION, placeholders

ICONS = json.loads((INTEGRATION / "icons.json").read_text("utf-8"))
MANIFEST = json.loads((INTEGRATION / "manifest.json").read_text("utf-8"))
HACS = json.loads((INTEGRATION.parents[1] / "hacs.json").read_text("utf-8"))
SERVICES = load_yaml_dict(str(INTEGRATION / "services.yaml"))
MODULES = sorted(INTEGRATION.rglob("*.py"))

# Keys that are valid in the manifest of a custom integration.
MANIFEST_KEYS = {
    "domain",
    "name",
    *("after_dependencies", "dependencies", "requirements", "loggers"),
    *("categories", "connectivity", "integration_type", "iot_class"),
    *("codeowners", "documentation", "issue_tracker", "version"),
    *("config_flow", "single_config_entry", "import_executor"),
}
ALWAYS_THERE = {"frontend", "homeassistant", "websocket_api"}
HACS_KEYS = {
    "name": str,
    "filename": str,
    "hacs": str,
    "homeassistant": str,
    "persistent_directory": str,
    "country": list,
    "content_in_root": bool,
    "hide_default_branch": bool,
    "render_readme": bool,
    "zip_release": bool,
}
# Functions that get a config entry, by module; the rule "runtime-data" has it typed.
ENTRY_FUNCTIONS = {
    "__init__": {
        "async_migrate_entry",
        "async_remove_config_entry_device",
        "async_remove_entry",
        "async_setup_entry",
        "async_unload_entry",
    },
    "binary_sensor": {"async_setup_entry"},
    "button": {"async_setup_entry"},
    "config_flow": {"async_get_options_flow"},
    "diagnostics": {
        "async_get_config_entry_diagnostics",
        "async_get_device_diagnostics",
    },
    "sensor": {"async_setup_entry"},
}
TRANSLATION_KEY = re.compile(r"(?!.*[_-]{2})[a-z0-9]([a-z0-9_-]*[a-z0-9])?")


def test_manifest_has_no_unknown_keys() -> None:
    """An unknown key is an error."""
    assert set(MANIFEST) <= MANIFEST_KEYS
    assert MANIFEST["integration_type"] in {"device", "hub", "service"}
    assert re.fullmatch(r"\d+\.\d+\.\d+", MANIFEST["version"])


def test_hacs_json_has_no_unknown_keys() -> None:
    """An unknown key or a wrong type is an error."""
    for key, value in HACS.items():
        assert isinstance(value, HACS_KEYS[key]), key
    assert not HACS.get("zip_release") or HACS["filename"].endswith(".zip")


def _imported_components() -> Iterator[str]:
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            name = node.module if isinstance(node, ast.ImportFrom) else None
            if name == "homeassistant.components":
                assert isinstance(node, ast.ImportFrom)
                yield from (alias.name for alias in node.names)
            elif name is not None and name.startswith("homeassistant.components."):
                yield name.split(".")[2]


def test_used_components_are_dependencies() -> None:
    """Except those that Home Assistant calls through a module of their name.

    Components that are always loaded are excepted, too.
    """
    declared = {*MANIFEST["dependencies"], *MANIFEST["after_dependencies"]}
    used = {
        component
        for component in _imported_components()
        if not (INTEGRATION / f"{component}.py").exists()
    }
    assert used >= {"energy", "recorder"}
    assert used - ALWAYS_THERE <= declared
    assert not set(MANIFEST["dependencies"]) & set(MANIFEST["after_dependencies"])


@pytest.mark.parametrize("action", SERVICES)
def test_actions_have_valid_selectors(action: str) -> None:
    """Filters of selectors are not in the deprecated form."""
    assert set(SERVICES[action]) <= {"fields", "target"}
    if "target" in SERVICES[action]:
        selector.TargetSelector.CONFIG_SCHEMA(SERVICES[action]["target"])
    for name, field in SERVICES[action].get("fields", {}).items():
        assert cv.slug(name)
        assert set(field) <= {"default", "example", "required", "selector"}
        selector.validate_selector(field["selector"])
        for kind in ("device", "entity"):
            config = field["selector"].get(kind) or {}
            assert set(config) <= {"filter", "multiple"}, name


def test_icons_of_states_differ_from_the_default() -> None:
    """An icon of a state that equals the default icon is an error."""
    assert set(ICONS) <= {"config", "entity", "issues", "options", "services"}
    for platform, entities in ICONS["entity"].items():
        for key, icons in entities.items():
            assert set(icons) <= {"default", "state", "state_attributes"}
            assert icons.get("default") not in icons.get("state", {}).values(), (
                f"{platform}.{key}"
            )
    for name, icon in ICONS["services"].items():
        assert set(icon) == {"service"}, name


@pytest.mark.parametrize("section", ["entity", "exceptions", "selector", "services"])
def test_translation_keys_are_well_formed(section: str) -> None:
    """This is checked on each level."""

    def keys(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            yield from node
            for value in node.values():
                yield from keys(value)

    assert not [
        key for key in keys(ENGLISH[section]) if not TRANSLATION_KEY.fullmatch(key)
    ]


def test_states_and_units_have_no_placeholders() -> None:
    """Only names may have placeholders."""
    for entities in ENGLISH["entity"].values():
        for texts in entities.values():
            plain = [
                texts.get("unit_of_measurement", ""),
                *texts.get("state", {}).values(),
            ]
            assert not placeholders(" ".join(plain))


@pytest.mark.parametrize("name", ENTRY_FUNCTIONS)
def test_config_entries_are_typed(name: str) -> None:
    """This applies to each function that Home Assistant calls with one."""
    tree = ast.parse((INTEGRATION / f"{name}.py").read_text("utf-8"))
    functions = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name in ENTRY_FUNCTIONS[name]
    ]
    assert functions
    for function in functions:
        position = 0 if function.name == "async_get_options_flow" else 1
        annotation = function.args.args[position].annotation
        assert isinstance(annotation, ast.Name), function.name
        assert re.fullmatch(r"[A-Za-z]+ConfigEntry", annotation.id)


def test_quality_scale_is_well_formed() -> None:
    """A status may have a comment, and an exemption must have one."""
    rules = load_yaml_dict(str(INTEGRATION / "quality_scale.yaml"))["rules"]
    for rule, answer in rules.items():
        if isinstance(answer, str):
            assert answer in {"done", "todo"}, rule
        else:
            assert set(answer) == {"status", "comment"}, rule
            assert answer["status"] in {"done", "exempt", "todo"}
            assert isinstance(answer["comment"], str)
