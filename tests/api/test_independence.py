"""The client does not depend on the integration."""

import ast
from pathlib import Path
import sys

import pytest

from custom_components.enphase_cloud import api

ROOT = Path(api.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_imports_only_aiohttp_yarl_and_the_standard_library(module: Path) -> None:
    depth = len(module.relative_to(ROOT).parts)
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [str(node.module)]
        elif isinstance(node, ast.ImportFrom):
            assert node.level <= depth
            continue
        else:
            continue
        for name in names:
            package = name.partition(".")[0]
            assert package in {"aiohttp", "yarl"} | sys.stdlib_module_names


def test_exports_are_complete() -> None:
    assert sorted(set(api.__all__)) == sorted(api.__all__)
    for name in api.__all__:
        assert hasattr(api, name)
