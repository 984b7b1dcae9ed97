"""Who may import whom, and what nobody does (docs/architecture.md)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import custom_components.enphase_cloud

PACKAGE = Path(custom_components.enphase_cloud.__file__).parent
NAME = custom_components.enphase_cloud.__name__
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
# What each folder may import beside itself. The first ones know nothing of Home
# Assistant, the others are its. Type checking makes no exception.
PURE_FOLDERS = {
    "json_values": set[str](),
    "wording": set[str](),
    "api": set[str](),
    "quota": {"api.access", "json_values"},
    "measurements": {"api.models", "json_values"},
    "scheduling": {"json_values", "measurements.catalog", "quota"},
    "documents": {"api.access", "api.endpoints", "api.models", "measurements"},
    "dashboard": {"measurements.catalog"},
    "energy": {"api.endpoints", "api.models", "json_values", "measurements", "quota"},
    "figures": {"api.models", "energy", "json_values", "measurements"},
    "money": {"energy", "json_values", "measurements"},
}
_PURE = set(PURE_FOLDERS)
FOLDERS = PURE_FOLDERS | {
    "runtime": {*_PURE - {"documents"}, "const", "errors"},
    "coordinator": {*_PURE, "const", "errors", "runtime"},
    "data": {"const", "coordinator", "measurements", "runtime"},
    "actions": {*_PURE, "const", "coordinator", "data", "errors", "report", "runtime"},
    "flows": {*_PURE, "const", "coordinator", "data", "errors", "runtime"},
}
# What a folder without I/O has no use for.
IO = {"aiohttp", "asyncio", "os", "pathlib", "socket", "threading", "urllib"}
CLOCKS = {("datetime", "now"), ("datetime", "utcnow"), ("date", "today")}


def _tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def _absolute(module: str, node: ast.ImportFrom) -> str:
    """Return the full name of the module that a "from" imports from."""
    if not node.level:
        return node.module or ""
    path = MODULES[module]
    package = [NAME, *path.relative_to(PACKAGE).parent.parts]
    kept = package[: len(package) - node.level + 1]
    return ".".join([*kept, *filter(None, [node.module])])


def _imports(module: str) -> Iterator[str]:
    """Yield the full names of everything that a module imports, wherever it does."""
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = _absolute(module, node)
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def _inside(module: str) -> Iterator[str]:
    """Yield what a module imports from the integration, relative to it."""
    for name in _imports(module):
        if name.startswith(f"{NAME}."):
            yield name.removeprefix(f"{NAME}.")


def _of(*folders: str) -> list[str]:
    return [module for module in MODULES if module.partition(".")[0] in folders]


def test_the_folders_are_there() -> None:
    """These tests look at something."""
    assert len(MODULES) > 30
    for folder in FOLDERS.keys() - {"data", "json_values", "wording"}:
        assert len(_of(folder)) >= 2


@pytest.mark.parametrize("module", _of(*PURE_FOLDERS))
def test_pure_folders_know_no_home_assistant(module: str) -> None:
    """They could be packages of their own."""
    assert not [name for name in _imports(module) if name.startswith("homeassistant")]


@pytest.mark.parametrize("module", _of(*FOLDERS))
def test_folders_import_what_is_below_them(module: str) -> None:
    """An arrow goes down, or stays in the folder."""
    folder = module.partition(".")[0]
    allowed = {folder, *FOLDERS[folder]}
    for name in _inside(module):
        assert any(f"{name}.".startswith(f"{each}.") for each in allowed), name


@pytest.mark.parametrize("module", _of(*PURE_FOLDERS.keys() - {"api"}))
def test_pure_folders_touch_nothing(module: str) -> None:
    """No network, no files, and the clock is an argument."""
    roots = {name.partition(".")[0] for name in _imports(module)}
    assert not roots & (IO | {"time"})
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            called = (owner.id if isinstance(owner, ast.Name) else "", node.func.attr)
            assert called not in CLOCKS, ast.unparse(node)


@pytest.mark.parametrize("module", MODULES)
def test_nobody_imports_from_init(module: str) -> None:
    """What several need has a module of its own; __init__ is Home Assistant's."""
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.ImportFrom) and _absolute(module, node) == NAME:
            assert all(alias.name in MODULES for alias in node.names)
        if isinstance(node, ast.Import):
            assert NAME not in {alias.name for alias in node.names}


@pytest.mark.parametrize("module", MODULES)
def test_annotations_need_no_future(module: str) -> None:
    """Python 3.14 evaluates them late by itself."""
    assert not [name for name in _imports(module) if name.startswith("__future__")]


@pytest.mark.parametrize("module", MODULES)
def test_the_session_is_home_assistants(module: str) -> None:
    """Nobody opens a ClientSession."""
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func).rpartition(".")[2]
            assert called not in {
                "ClientSession",
                "TCPConnector",
                "async_create_clientsession",
            }


@pytest.mark.parametrize("module", MODULES)
def test_modules_are_not_too_long(module: str) -> None:
    """One subject each."""
    lines = MODULES[module].read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 350


@pytest.mark.parametrize("module", MODULES)
def test_classes_are_not_too_long(module: str) -> None:
    """One responsibility each; a table is compact."""
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.ClassDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno + 1 <= 250, node.name


def test_imports_make_no_circle() -> None:
    """Each module can be understood before those that build on it."""
    graph = {
        module: {
            known
            for name in _inside(module)
            for known in (name, name.rpartition(".")[0], f"{name}.__init__")
            if known in MODULES and known != module
        }
        for module in MODULES
    }
    while graph:
        leaves = {module for module, needs in graph.items() if not needs & set(graph)}
        assert leaves, f"A circle among {sorted(graph)}"
        graph = {module: graph[module] for module in graph if module not in leaves}
