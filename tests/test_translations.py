"""Whatever is shown is in en.json, with what fills it in; nothing there is unused."""

import ast
from collections.abc import Iterable, Iterator, Mapping
import inspect
import json
import re
import textwrap
from types import ModuleType
from typing import Any

from homeassistant.helpers.config_entry_oauth2_flow import AbstractOAuth2FlowHandler
from homeassistant.helpers.selector import SelectSelector
from homeassistant.util.yaml import load_yaml_dict
import pytest

from custom_components.enphase_cloud import (
    array_flow,
    binary_sensor,
    button,
    calendar,
    config_flow,
    dashboard_watch,
    event,
    image,
    issues,
    number,
    options_flow,
    repairs,
    select,
    sensor,
    switch,
    system_health,
    tariff_flow,
    time,
)
from custom_components.enphase_cloud.config_flow import EnphaseCloudConfigFlow
from custom_components.enphase_cloud.const import (
    CONF_PLAN,
    SUBENTRY_ARRAY,
    SUBENTRY_TARIFF,
)
from custom_components.enphase_cloud.coordinator import error_policy
from custom_components.enphase_cloud.coordinator.cost_statistics import COST_SERIES
from custom_components.enphase_cloud.coordinator.error_policy import ERROR_POLICIES
from custom_components.enphase_cloud.dashboard.doctor import Finding
from custom_components.enphase_cloud.dashboard.sources import Kind
from custom_components.enphase_cloud.dashboard.wizard import Choice, Verb
from custom_components.enphase_cloud.documents.base import Group
from custom_components.enphase_cloud.flows import (
    forms,
    sign_in,
    tariff_forms,
    validation,
)
from custom_components.enphase_cloud.measurements.catalog import Flow
from custom_components.enphase_cloud.overview import SECTIONS
from custom_components.enphase_cloud.quota.plans import PLANS
from custom_components.enphase_cloud.runtime import checked_store as stores

from .flows import ENGLISH, INTEGRATION, field_names, placeholders

ICONS: dict[str, Any] = json.loads(
    (INTEGRATION / "icons.json").read_text(encoding="utf-8")
)
SERVICES = load_yaml_dict(str(INTEGRATION / "services.yaml"))
PLATFORMS = {
    "binary_sensor": binary_sensor,
    "button": button,
    "calendar": calendar,
    "event": event,
    "image": image,
    "number": number,
    "select": select,
    "sensor": sensor,
    "switch": switch,
    "time": time,
}
# Of the table of errors, what cannot happen while the user signs in, and what cannot
# while the API key is tested.
NOT_AT_SIGN_IN = {
    "api_key_refused",
    "budget_exhausted",
    "forbidden",
    "storage_failed",
}
NOT_AT_THE_KEY = {"code_expired", "invalid_client"}
# What cannot happen with credentials of the user's own, or is shown as a dialog.
NEVER_SHOWN = {
    "authorize_url_timeout",
    "missing_configuration",
    "missing_credentials",
    "no_url_available",
}
# What Home Assistant's own methods, called by name, abort a flow with.
ABORTED_BY = {
    "_abort_if_unique_id_configured": {"already_configured"},
    "async_update_reload_and_abort": {"reauth_successful", "reconfigure_successful"},
}


def _calls(source: str | ModuleType, *names: str) -> Iterator[ast.Call]:
    """Yield the calls of some functions or methods."""
    if isinstance(source, ModuleType):
        source = inspect.getsource(source)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else called
            if (name.id if isinstance(name, ast.Name) else name) in names:
                yield node


def _keyword(call: ast.Call, name: str) -> str | None:
    """Return the text that a call gives for a keyword, if it is a literal."""
    for keyword in call.keywords:
        if keyword.arg == name and isinstance(keyword.value, ast.Constant):
            return str(keyword.value.value)
    return None


def _step_ids(*modules: ModuleType) -> set[str]:
    """Return the steps whose forms some modules show; a call may choose between two."""
    return {
        node.value
        for module in modules
        for call in _calls(module, "async_show_form", "_show_form")
        for keyword in call.keywords
        if keyword.arg == "step_id"
        for node in ast.walk(keyword.value)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def _literals(*modules: ModuleType) -> set[str]:
    """Return all texts that stand in some modules."""
    return {
        node.value
        for module in modules
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def _texts(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text of the translations with its path."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _texts(value, f"{path}.{key}".lstrip("."))
    else:
        yield path, node


TEXTS = dict(_texts(ENGLISH))


# Exceptions


def _translated() -> Iterator[tuple[str, set[str]]]:
    """Yield the key and the placeholders of each translated exception."""
    for path in sorted(INTEGRATION.rglob("*.py")):
        if path.stem == error_policy.__name__.rpartition(".")[2]:
            continue  # Its table is tested in test_error_policy.py.
        for call in _calls(path.read_text(encoding="utf-8"), "translated"):
            key = call.args[1]
            assert isinstance(key, ast.Constant), ast.unparse(call)
            yield str(key.value), {str(keyword.arg) for keyword in call.keywords}


def test_exceptions() -> None:
    """Each exception has a message, filled in with exactly what is passed."""
    used: dict[str, set[str]] = {}
    for key, given in _translated():
        assert used.setdefault(key, given) == given, key
    shown = {
        key: placeholders(exception["message"])
        for key, exception in ENGLISH["exceptions"].items()
    }
    by_policy = {policy.message for policy in ERROR_POLICIES.values()}
    assert set(shown) == set(used) | by_policy
    assert used == {key: shown[key] for key in used}


# Flows


def test_steps_and_fields() -> None:
    """Each form of a flow has its texts, field by field."""
    shown = {
        "config": {
            "api_key": forms.api_key_form(currency="EUR", dashboard=True),
            "code": forms.CODE_FORM,
            "custom_plan": forms.CUSTOM_PLAN_FORM,
            "keep_api_key": forms.api_key_form(is_known=True, dashboard=False),
            "reauth_confirm": None,
            "reconfigure": None,
            "free_systems": forms.systems_form([], chosen=[]),
            "systems": forms.systems_form([], chosen=[]),
        },
        "options": {
            "call_budget": forms.CALL_BUDGET_FORM,
            "custom_plan": forms.CUSTOM_PLAN_FORM,
            "dashboard": None,
            "devices": forms.devices_form(Group),
            "dashboard_choices": forms.dashboard_form(Kind),
            "energy": forms.ENERGY_FORM,
            "live": forms.LIVE_FORM,
            "live_schedule": forms.LIVE_SCHEDULE_FORM,
            "live_times": forms.LIVE_TIMES_FORM,
            "plan": forms.PLAN_FORM,
            "profile": forms.PROFILE_FORM,
        },
    }
    modules = {"config": (config_flow, sign_in), "options": (options_flow,)}
    for section, shown_forms in shown.items():
        steps = _step_ids(*modules[section])
        assert steps == set(shown_forms)
        # Home Assistant shows the first by itself, the others are menus.
        others = {"config": {"pick_implementation", "sign_in"}, "options": {"init"}}
        assert set(ENGLISH[section]["step"]) == steps | others[section]
        for step, form in shown_forms.items():
            texts = ENGLISH[section]["step"][step]
            assert set(texts.get("data", {})) == field_names(form)
            assert set(texts.get("data_description", {})) == field_names(form)


def _inherited_reasons() -> Iterator[str]:
    """Yield what Home Assistant aborts with in methods that are not overridden."""
    for name, method in vars(AbstractOAuth2FlowHandler).items():
        overridden = name in vars(EnphaseCloudConfigFlow) | vars(sign_in.SignInFlow)
        if inspect.iscoroutinefunction(method) and not overridden:
            source = textwrap.dedent(inspect.getsource(method))
            for call in _calls(source, "async_abort"):
                if reason := _keyword(call, "reason"):
                    yield reason


def test_aborts() -> None:
    """Each way out of the flow is explained, also where Home Assistant takes it."""
    reasons = {policy.reason for policy in ERROR_POLICIES.values()} - NOT_AT_SIGN_IN
    reasons |= set(_inherited_reasons())
    modules = (config_flow, sign_in)
    for call in (call for each in modules for call in _calls(each, "async_abort")):
        if reason := _keyword(call, "reason"):
            reasons.add(reason)
    for method, aborts in ABORTED_BY.items():
        assert any(list(_calls(each, method)) for each in modules)
        reasons |= aborts
    assert "user_rejected_authorize" in reasons
    assert set(ENGLISH["config"]["abort"]) == reasons - NEVER_SHOWN
    menu = ENGLISH["options"]["step"]["init"]
    assert set(menu["menu_options"]) <= set(ENGLISH["options"]["step"])
    assert set(ENGLISH["options"]["abort"]) <= _literals(options_flow)


def test_errors() -> None:
    """Each error of a form is explained."""
    errors = {policy.reason for policy in ERROR_POLICIES.values()} - NOT_AT_THE_KEY
    for module in (config_flow, validation):
        for call in _calls(module, "KeyRefusedError"):
            if isinstance(call.args[0], ast.Constant):
                errors.add(str(call.args[0].value))
    errors |= {"choose_a_system", "code_expired"}
    assert set(ENGLISH["config"]["error"]) == errors
    assert errors <= _literals(config_flow, error_policy, sign_in, validation)
    assert set(ENGLISH["options"]["error"]) <= _literals(options_flow)


def test_errors_are_plain_text() -> None:
    """Home Assistant shows the errors of forms without Markdown."""
    errors = {path: text for path, text in TEXTS.items() if ".error." in path}
    assert errors
    assert not {path for path, text in errors.items() if re.search(r"[*`]|\]\(", text)}


SUBENTRIES = {
    SUBENTRY_ARRAY: ((array_flow,), {"reconfigure_successful"}),
    # Home Assistant aborts where another one has the unique id.
    SUBENTRY_TARIFF: (
        (tariff_flow, tariff_forms),
        {"reconfigure_successful", "already_configured"},
    ),
}


@pytest.mark.parametrize("kind", ENGLISH["config_subentries"])
def test_the_flows_of_subentries(kind: str) -> None:
    """Tests of their own look at their forms; nothing more is explained."""
    modules, reasons = SUBENTRIES[kind]
    flow = ENGLISH["config_subentries"][kind]
    for call in (call for each in modules for call in _calls(each, "async_abort")):
        if reason := _keyword(call, "reason"):
            reasons.add(reason)
    assert set(flow["abort"]) == reasons
    steps = set(flow["step"])
    assert {f"async_step_{step}" for step in steps} == _steps(modules[0])
    assert set(flow["error"]) <= _literals(*modules)
    assert set(flow["initiate_flow"]) == {"user", "reconfigure"}
    assert flow["entry_type"]
    for step in flow["step"].values():
        assert set(step.get("data_description", {})) <= set(step.get("data", {}))


def _steps(module: ModuleType) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.AsyncFunctionDef) and "async_step_" in node.name
    }


def _selectors() -> Iterator[SelectSelector]:
    schemas = (
        form
        for name, form in vars(forms).items()
        if name.isupper() and hasattr(form, "schema")
    )
    dynamic = (
        forms.api_key_form(dashboard=False),
        forms.devices_form(Group),
    )
    for form in (*schemas, *dynamic):
        for selector in form.schema.values():
            if isinstance(selector, SelectSelector):
                yield selector


def test_selectors() -> None:
    """Each choice has a label."""
    choices = {
        selector.config["translation_key"]: {
            str(option) for option in selector.config["options"]
        }
        for selector in _selectors()
    } | {
        selector["translation_key"]: set(selector["options"])
        for action in load_yaml_dict(str(INTEGRATION / "services.yaml")).values()
        for field in action.get("fields", {}).values()
        if "translation_key" in (selector := field["selector"].get("select") or {})
    }
    choices |= {key: set(some) for key, some in tariff_forms.CHOICES.items()}
    # No choice, but headings.
    choices["overview"] = {key for key, _ in SECTIONS}
    # No choice, but told by statistics.
    choices["flow"] = set(Flow) | {each.key for each in COST_SERIES.values()}
    choices |= {
        "dashboard_change": set(Verb),
        "dashboard_choice": set(Choice),
        "dashboard_source": set(Kind),
    }
    assert choices == {
        key: set(texts["options"]) for key, texts in ENGLISH["selector"].items()
    }


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_the_labels_of_plans_are_true(plan: Any) -> None:
    """A label tells the limit of the plan, and whether it has live streams."""
    label = ENGLISH["selector"][CONF_PLAN]["options"][plan.key]
    assert plan.key in label.lower()
    unpaid = plan.limited_to(0)
    assert re.search(rf"\b{unpaid.calls_per_month:,} (free )?API calls\b", label)
    assert ("live streams" in label) is plan.has_live_stream
    # A phone cuts what is longer.
    assert len(label) <= 44


# Entities


def _descriptions(found: Iterable[object]) -> Iterator[Any]:
    for value in found:
        # Home Assistant makes classes of descriptions that are not related.
        if type(value).__name__.endswith("Description"):
            yield value
        elif isinstance(value, tuple | list):
            yield from _descriptions(value)
        elif isinstance(value, dict):
            yield from _descriptions(value.values())


def _by_key(platform: str) -> dict[str, Any]:
    """Return the descriptions of a platform by their translation key."""
    by_key = {}
    for description in _descriptions(vars(PLATFORMS[platform]).values()):
        if description.translation_key is None:
            # Home Assistant then names it after its device class.
            assert description.device_class is not None, description.key
        else:
            by_key[description.translation_key] = description
    return by_key


def test_there_are_no_other_platforms() -> None:
    """Texts and icons belong to platforms that exist."""
    assert set(ENGLISH["entity"]) == set(PLATFORMS)
    assert set(ICONS["entity"]) <= set(PLATFORMS)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_entities(platform: str) -> None:
    """Each entity has a name, and a text for each of its states."""
    described = _by_key(platform)
    texts = ENGLISH["entity"][platform]
    assert set(texts) == set(described)
    for key, description in described.items():
        named = texts[key]
        assert named["name"]
        states = set(getattr(description, "options", None) or ())
        assert set(named.get("state", {})) == states, key
        if getattr(description, "native_unit_of_measurement", None) is not None:
            assert "unit_of_measurement" not in named
        assert set(named) <= {
            "name",
            "state",
            "state_attributes",
            "unit_of_measurement",
        }


@pytest.mark.parametrize("platform", ICONS["entity"])
def test_icons(platform: str) -> None:
    """Icons belong to entities that exist, and to states they can have."""
    described = _by_key(platform)
    for key, icons in ICONS["entity"][platform].items():
        states = set(getattr(described[key], "options", None) or {"on", "off"})
        assert set(icons.get("state", {})) <= states
        for _path, icon in _texts(icons):
            assert re.fullmatch(r"mdi:[a-z0-9-]+", icon)


# Actions, repairs, system health


def test_actions() -> None:
    """Each action and each of its fields is explained, and has an icon."""
    assert set(SERVICES) == set(ENGLISH["services"]) == set(ICONS["services"])
    for name, action in SERVICES.items():
        texts = ENGLISH["services"][name]
        assert texts["name"]
        assert texts["description"]
        assert set(texts.get("fields", {})) == set(action.get("fields", {}))
        for field in texts.get("fields", {}).values():
            assert set(field) == {"name", "description"}


def test_repairs() -> None:
    """Each issue is explained: by a text, or by the step that repairs it."""
    trees = [
        ast.parse(inspect.getsource(module))
        for module in (dashboard_watch, issues, repairs, stores)
    ]
    kinds = {
        node.value.value
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    }
    given = {
        str(key.value)
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant)
    }
    assert set(ENGLISH["issues"]) == kinds | set(Finding)
    for kind, texts in ENGLISH["issues"].items():
        assert texts["title"]
        assert ("description" in texts) is not ("fix_flow" in texts), kind
        for _path, text in _texts(texts):
            assert placeholders(text) <= given


def test_system_health() -> None:
    """Each line of system health has a label."""
    shown = {
        str(key.value)
        for node in ast.walk(ast.parse(inspect.getsource(system_health)))
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant)
    }
    assert set(ENGLISH["system_health"]["info"]) == shown


# All texts


def test_there_are_no_other_sections() -> None:
    """What these tests do not look at is not there."""
    assert set(ENGLISH) == {
        "application_credentials",
        "config",
        "config_subentries",
        "device",
        "entity",
        "exceptions",
        "issues",
        "options",
        "selector",
        "services",
        "system_health",
    }


@pytest.mark.parametrize("path", TEXTS)
def test_texts_are_sound(path: str) -> None:
    """The rules of Home Assistant's own checks, which run elsewhere."""
    text = TEXTS[path]
    assert text
    assert text == text.strip()
    assert "://" not in text, "addresses go into placeholders"
    assert not re.search(r"</?[a-z]", text, re.IGNORECASE), "no HTML"
    assert "[%key:" not in text, "references are not resolved here"
    assert not re.search(r"'\{\w+\}'", text), "quotes would hide a placeholder"
    without = re.sub(r"\{\w+\}", "", text)
    assert "{" not in without
    assert "}" not in without


@pytest.mark.parametrize("name", ["icons.json", "translations/en.json"])
def test_no_key_is_there_twice(name: str) -> None:
    """Of two alike only the last would be read."""

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        keys = [key for key, _ in pairs]
        assert len(keys) == len(set(keys)), keys
        return dict(pairs)

    text = (INTEGRATION / name).read_text(encoding="utf-8")
    json.loads(text, object_pairs_hook=once)
