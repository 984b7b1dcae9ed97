"""Texts for users have one term for each concept, and few words."""

from collections.abc import Iterator, Mapping
from pathlib import Path
import re
from typing import Any

from homeassistant.util.yaml import load_yaml_dict
import pytest

from .flows import ENGLISH

CHECKOUT = Path(__file__).parents[1]
# Documents for developers, in the terms of the code.
OF_DEVELOPERS = {"api.md", "architecture.md", "budget.md"}
PAGES = [
    CHECKOUT / "README.md",
    *(
        path
        for path in sorted((CHECKOUT / "docs").glob("*.md"))
        if path.name not in OF_DEVELOPERS
    ),
]
BLUEPRINTS = sorted((CHECKOUT / "blueprints").rglob("*.yaml"))

FORBIDDEN = {
    r"(is|are|be) asked|asked for": "update, request or read",
    r"told|in one piece": "say it plainly",
    r"goes on|go on": "continue",
    r"energies": "energy",
    r"poll(s|ed|ing)?": "update",
    r"bursts?": "live session",
    r"answers?|answered": "data or response",
    r"please": "nothing: Home Assistant's style",
    r"quotas?": "API calls",
    r"tick(s|ed)?": "select",
}
# The first 2,949 words of version 0.1.0 were to become 1,900; what came later may have
# the same share: 6,644 words, when this was counted, times 1,900 / 2,949.
MOST_WORDS = 4_300
BUDGETS = {
    "entity": 440,
    "exceptions": 480,
    "issues": 800,
    "services": 400,
}
# Of the longest name beside its value on a device page, 1280 pixels wide.
LONGEST_NAME = 27


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        for value in node.values():
            yield from _texts(value)
    elif isinstance(node, str):
        yield node


def _words(node: Any) -> int:
    return sum(len(text.split()) for text in _texts(node))


def _blueprint_texts(path: Path) -> str:
    """Return the texts in the form of a blueprint, without names of variables."""
    texts: list[str] = []

    def collect(node: Any) -> None:
        if isinstance(node, Mapping):
            texts.extend(
                value
                for key, value in node.items()
                if key in {"name", "description", "label"} and isinstance(value, str)
            )
            for value in node.values():
                collect(value)

    collect(load_yaml_dict(str(path))["blueprint"])
    return re.sub(r'"[^"]*"', "", "\n".join(texts))


READ = {
    "en.json": "\n".join(_texts(ENGLISH)),
    **{
        path.name: re.sub(
            r"```.*?```|`[^`]*`", "", path.read_text(encoding="utf-8"), flags=re.DOTALL
        )
        for path in PAGES
    },
    **{path.name: _blueprint_texts(path) for path in BLUEPRINTS},
}


@pytest.mark.parametrize("name", READ)
def test_texts_have_no_forbidden_words(name: str) -> None:
    """Such words are ambiguous, or only developers know them."""
    found = {
        match[0]: instead
        for pattern, instead in FORBIDDEN.items()
        for match in re.finditer(rf"\b({pattern})\b", READ[name], re.IGNORECASE)
    }
    assert not found


def test_texts_stay_within_their_numbers_of_words() -> None:
    """A user who sets up the integration reads them all."""
    assert _words(ENGLISH) <= MOST_WORDS
    words = {section: _words(ENGLISH[section]) for section in BUDGETS}
    assert {key: words[key] for key in words if words[key] > BUDGETS[key]} == {}


@pytest.mark.parametrize("platform", ENGLISH["entity"])
def test_names_fit_a_device_page(platform: str) -> None:
    """Names do not repeat the kind of value that the unit shows."""
    names = [entity["name"] for entity in ENGLISH["entity"][platform].values()]
    assert [name for name in names if len(name) > LONGEST_NAME] == []
    assert [name for name in names if name.startswith(("Current ", "Energy "))] == [
        name for name in names if name == "Energy yesterday"
    ]
