"""A domain is pure: it reaches nothing but a short list of the standard library, `kernel` and `contracts`."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from testkit.repository import tree, where

STANDARD: Final = frozenset(
    {
        "__future__", "abc", "base64", "bisect", "collections", "contextlib", "copy", "dataclasses",
        "datetime", "decimal", "enum", "fractions", "functools", "hashlib", "heapq", "hmac", "inspect", "ipaddress",
        "itertools", "json", "math", "operator", "re", "statistics", "string", "struct", "types",
        "typing", "unicodedata", "uuid", "zoneinfo",
    }
)  # fmt: skip
OURS: Final = frozenset({"kernel", "contracts"})
# Of any object, and by their bare names. `open` and `print` may be a noun's own methods.
IMPURE_METHODS: Final = frozenset({"now", "today", "utcnow", "uuid1", "uuid4"})
IMPURE_FUNCTIONS: Final = IMPURE_METHODS | {"new_id", "open", "print", "input"}


def impurities(folder: Path, *, package: str, also: frozenset[str] = frozenset()) -> list[str]:
    """What breaks the rule below a `domain/` folder of `package`, one message each.

    `also` are further modules that this domain may import, for a reason that its caller gives.
    """
    allowed = STANDARD | OURS | also
    return [message for module in sorted(folder.rglob("*.py")) for message in _of(module, package, allowed)]


def _of(module: Path, package: str, allowed: frozenset[str]) -> Iterator[str]:
    for node in ast.walk(tree(module)):
        for name in _imported(node):
            inside = name == f"{package}.domain" or name.startswith(f"{package}.domain.")
            if not inside and name.partition(".")[0] not in allowed:
                yield f"{where(module, _line(node))} imports {name}"
        if reason := _impure(node):
            yield f"{where(module, _line(node))} {reason}"


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        # `from payment import domain` names a module in the second half.
        return (
            [f"{node.module}.{alias.name}" for alias in node.names]
            if "." not in node.module
            else [node.module]
        )
    return []


def _impure(node: ast.AST) -> str | None:
    if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
        return "is asynchronous"
    if isinstance(node, ast.Call) and (name := _impure_name(node.func)):
        return f"calls {name}()"
    if isinstance(node, ast.Global):
        return "changes a global"
    return None


def _impure_name(function: ast.expr) -> str | None:
    if isinstance(function, ast.Attribute):
        return function.attr if function.attr in IMPURE_METHODS else None
    name = getattr(function, "id", "")
    return name if name in IMPURE_FUNCTIONS else None


def _line(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 1))
