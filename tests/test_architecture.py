"""Allowed imports and forbidden calls (docs/architecture.md)."""

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
# What each folder may import beside itself. Pure folders do not import Home
# Assistant. Imports for type checking follow the same rules.
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
# Modules that a folder without I/O must not import.
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


def _internal_imports(module: str) -> Iterator[str]:
    """Yield what a module imports from the integration, relative to it."""
    for name in _imports(module):
        if name.startswith(f"{NAME}."):
            yield name.removeprefix(f"{NAME}.")


def _modules_in(*folders: str) -> list[str]:
    return [module for module in MODULES if module.partition(".")[0] in folders]


def test_each_folder_has_modules() -> None:
    """Otherwise the tests below would check nothing."""
    assert len(MODULES) > 30
    for folder in FOLDERS.keys() - {"data", "json_values", "wording"}:
        assert len(_modules_in(folder)) >= 2


@pytest.mark.parametrize("module", _modules_in(*PURE_FOLDERS))
def test_pure_folders_do_not_import_home_assistant(module: str) -> None:
    """They could be packages of their own."""
    assert not [name for name in _imports(module) if name.startswith("homeassistant")]


@pytest.mark.parametrize("module", _modules_in(*FOLDERS))
def test_folders_import_only_folders_below_them(module: str) -> None:
    """An import goes down, or stays in the folder."""
    folder = module.partition(".")[0]
    allowed = {folder, *FOLDERS[folder]}
    for name in _internal_imports(module):
        assert any(f"{name}.".startswith(f"{each}.") for each in allowed), name


@pytest.mark.parametrize("module", _modules_in(*PURE_FOLDERS.keys() - {"api"}))
def test_pure_folders_use_no_io_and_no_clock(module: str) -> None:
    """No network and no files; the time is an argument."""
    roots = {name.partition(".")[0] for name in _imports(module)}
    assert not roots & (IO | {"time"})
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            called = (owner.id if isinstance(owner, ast.Name) else "", node.func.attr)
            assert called not in CLOCKS, ast.unparse(node)


@pytest.mark.parametrize("module", MODULES)
def test_no_module_imports_from_init(module: str) -> None:
    """Shared code has a module of its own; __init__ is for Home Assistant."""
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.ImportFrom) and _absolute(module, node) == NAME:
            assert all(alias.name in MODULES for alias in node.names)
        if isinstance(node, ast.Import):
            assert NAME not in {alias.name for alias in node.names}


@pytest.mark.parametrize("module", MODULES)
def test_no_module_imports_from_future(module: str) -> None:
    """Python 3.14 evaluates annotations lazily by itself."""
    assert not [name for name in _imports(module) if name.startswith("__future__")]


@pytest.mark.parametrize("module", MODULES)
def test_no_module_opens_its_own_client_session(module: str) -> None:
    """All requests use Home Assistant's session."""
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
    """A module has one subject."""
    lines = MODULES[module].read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 350


@pytest.mark.parametrize("module", MODULES)
def test_classes_are_not_too_long(module: str) -> None:
    """A class has one responsibility."""
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.ClassDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno + 1 <= 250, node.name


def test_imports_have_no_cycle() -> None:
    """Each module can be understood before those that build on it."""
    graph = {
        module: {
            known
            for name in _internal_imports(module)
            for known in (name, name.rpartition(".")[0], f"{name}.__init__")
            if known in MODULES and known != module
        }
        for module in MODULES
    }
    while graph:
        leaves = {module for module, needs in graph.items() if not needs & set(graph)}
        assert leaves, f"A cycle among {sorted(graph)}"
        graph = {module: graph[module] for module in graph if module not in leaves}
