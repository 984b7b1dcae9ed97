"""The table of all API operations: client, model, use, plan and simulator."""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import partial
from inspect import get_annotations
from pathlib import Path
import re
from typing import Any

from custom_components.enphase_cloud.api import endpoints
from custom_components.enphase_cloud.api.endpoints import ENDPOINTS, LIVE_DATA, Endpoint
from custom_components.enphase_cloud.documents.table import DOCUMENTS
from custom_components.enphase_cloud.quota.plans import PLANS
from simulator.operations import find

_CHECKOUT = Path(__file__).parents[2]
_INTEGRATION = _CHECKOUT / "custom_components" / "enphase_cloud"
_TABLE_OF_DOCUMENTS = "documents/table.py"
_NAMES = {
    id(value): name
    for name, value in vars(endpoints).items()
    if isinstance(value, Endpoint)
}
_HEADINGS = (
    *("Operation", "Method and path", "Call", "Model", "Used in"),
    *("Access control", "Smallest plan", "Simulated"),
)


def table() -> str:
    """Return a row for each operation, in the order of the endpoints."""
    users = _users()
    rows = [_HEADINGS, ("---",) * len(_HEADINGS)]
    rows += [_row(each, users) for each in ENDPOINTS]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _row(endpoint: Endpoint[Any], users: Mapping[str, list[str]]) -> tuple[str, ...]:
    modules = users[_NAMES[id(endpoint)]]
    return (
        endpoint.name,
        f"{endpoint.method} `…/{endpoint.path}`".replace("/`", "`"),
        f"`{_call(endpoint)}`",
        _model(endpoint),
        ", ".join(_with_sources(endpoint, modules)) or "not used",
        endpoint.access.value,
        _smallest_plan(endpoint),
        "yes" if _is_simulated(endpoint) else "no",
    )


def _call(endpoint: Endpoint[Any]) -> str:
    """Return the expression that calls the client, without query parameters."""
    parameters = re.findall(r"\{(\w+)\}", endpoint.path)
    if endpoint is LIVE_DATA:
        return f"stream({', '.join(parameters)}, duration=…)"
    method = "pages" if endpoint.page_size else endpoint.method.lower()
    body = ["{…}"] if method in {"put", "post"} else []
    given = [f"{name}=…" for name in parameters]
    return f"{method}({', '.join([_NAMES[id(endpoint)], *body, *given])})"


def _model(endpoint: Endpoint[Any]) -> str:
    reader: Any = endpoint.model
    while isinstance(reader, partial):
        reader = reader.func
    if reader is None:
        return "JSON"
    model = getattr(reader, "__self__", None) or get_annotations(reader)["return"]
    return f"`{model.__name__}`"


def _users() -> Mapping[str, list[str]]:
    """Return the modules that use each endpoint, by the endpoint's name in the code."""
    users: dict[str, list[str]] = defaultdict(list)
    for path in sorted(_INTEGRATION.rglob("*.py")):
        module = path.relative_to(_INTEGRATION).as_posix()
        if not module.startswith("api/"):
            for name in sorted(set(_used_names(path))):
                users[name].append(module)
    return users


def _used_names(path: Path) -> Iterator[str]:
    """Yield the endpoints whose names a module uses, and streams by their call."""
    live = _NAMES[id(LIVE_DATA)]
    known = set(_NAMES.values()) - {live}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("api")
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in known & imported:
            yield node.id
        if isinstance(node, ast.Attribute) and _is_stream(node):
            yield live


def _is_stream(node: ast.Attribute) -> bool:
    return f".{ast.unparse(node)}".endswith(".client.stream")


def _with_sources(endpoint: Endpoint[Any], modules: list[str]) -> Iterator[str]:
    """Yield links to modules; the table of documents with the endpoint's documents."""
    sources = ", ".join(
        f"`{each.source.value}`" for each in DOCUMENTS if each.endpoint is endpoint
    )
    for module in modules:
        path = f"../custom_components/enphase_cloud/{module}"
        names = f" ({sources})" if module == _TABLE_OF_DOCUMENTS and sources else ""
        yield f"[{module}]({path}){names}"


def _smallest_plan(endpoint: Endpoint[Any]) -> str:
    """Return the first plan with the access control; plans are in ascending order."""
    plans = (plan for plan in PLANS.values() if endpoint.access in plan.access)
    return next(plan.key.capitalize() for plan in plans)


def _is_simulated(endpoint: Endpoint[Any]) -> bool:
    """Tell whether the simulator implements the operation (no "Not Implemented")."""
    path = re.sub(r"\{\w+\}", "1", f"/{endpoint.path}")
    return any(
        operation.method == endpoint.method and operation.is_simulated
        for operation, _ in find(path)
    )
