"""Reads the official specification and checks responses with it."""

from collections.abc import Iterator
from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2]
PATH = _ROOT.parent / "shared" / "api" / "System_API.swagger2.json"

_PREFIX = "/api/v4/systems"
_TYPES: dict[str, type | tuple[type, ...]] = {
    "array": list,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "object": dict,
    "string": str,
}


@dataclass(frozen=True, slots=True)
class Documented:
    """A response of an operation in the specification."""

    method: str
    path: str
    status: int
    access: str
    schema: Any
    example: Any


class Specification:
    """The official specification."""

    def __init__(self) -> None:
        """Read it."""
        self._document = json.loads(PATH.read_text(encoding="utf-8"))

    def responses(self) -> Iterator[Documented]:
        """Yield every documented response, with its path below `/api/v4/systems`."""
        for path, methods in self._document["paths"].items():
            for method, operation in methods.items():
                for status, response in operation["responses"].items():
                    schema = self._resolved(response.get("schema", {}))
                    examples = response.get("examples", {}).values()
                    yield Documented(
                        method=method.upper(),
                        path=path.removeprefix(_PREFIX),
                        status=int(status),
                        access=operation["tags"][0],
                        schema=schema,
                        example=next(iter(examples), _example(schema)),
                    )

    def parameters(self, method: str, path: str) -> dict[str, Any]:
        """Return the documented parameters of an operation by name."""
        operation = self._document["paths"][f"{_PREFIX}{path}"][method.lower()]
        return {each["name"]: each for each in operation.get("parameters", ())}

    def _resolved(self, schema: Any) -> Any:
        """Return a schema with its references followed."""
        if isinstance(schema, list):
            return [self._resolved(item) for item in schema]
        if not isinstance(schema, dict):
            return schema
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return self._resolved(self._document["definitions"][name])
        return {key: self._resolved(value) for key, value in schema.items()}


def _example(schema: Any) -> Any:
    """Return the example that a schema has in it, as a whole or in its parts."""
    if "example" in schema:
        return schema["example"]
    if "items" in schema:
        item = _example(schema["items"])
        return None if item is None else [item]
    parts = {key: _example(part) for key, part in schema.get("properties", {}).items()}
    return {key: part for key, part in parts.items() if part is not None} or None


def problems(value: Any, schema: Any, example: Any, where: str = "") -> Iterator[str]:
    """Yield where a response differs from schema and example.

    Fields must be in the schema or in the example, and of the schema's type; those of
    the example must be there. Null is in order where the example has null.
    """
    if value is None:
        if example is not None:
            yield f"{where}: null"
        return
    expected = schema.get("type")
    if expected and not _is(value, expected):
        yield f"{where}: {type(value).__name__} is no {expected}"
        inner = schema.get("additionalProperties", {})
        if not (isinstance(value, list) and inner.get("type") == "array"):
            return
        # Where it means a list it has an object of lists.
        schema = inner
    if isinstance(value, dict):
        yield from _object_problems(value, schema, example, where)
    elif isinstance(value, list):
        items = example if isinstance(example, list) else []
        for item in value:
            inner = schema.get("items", {})
            yield from problems(item, inner, _union(items), f"{where}[]")


def _is(value: Any, expected: str) -> bool:
    if isinstance(value, bool) and expected != "boolean":
        return False
    return isinstance(value, _TYPES[expected])


def _object_problems(
    value: dict[str, Any], schema: Any, example: Any, where: str
) -> Iterator[str]:
    known = schema.get("properties", {})
    others = schema.get("additionalProperties")
    shown = example if isinstance(example, dict) else {}
    for key, inner in value.items():
        place = f"{where}.{key}".lstrip(".")
        if key in known:
            yield from problems(inner, known[key], shown.get(key, inner), place)
        elif key in shown:
            if not known and others is None:
                yield from problems(inner, {}, shown[key], place)
            elif others is not None:
                yield from problems(inner, others, shown[key], place)
            else:
                yield f"{place}: in the example only"
        else:
            yield f"{place}: unknown"
    yield from (
        f"{where}.{key}: missing".lstrip(".") for key in shown if key not in value
    )


def _union(items: list[Any]) -> Any:
    """Return an example item that has the fields which all example items have."""
    if not items or not all(isinstance(item, dict) for item in items):
        return items[0] if items else None
    common = [key for key in items[0] if all(key in item for item in items)]
    return {key: _first([item[key] for item in items]) for key in common}


def _first(values: list[Any]) -> Any:
    return None if None in values else values[0]
