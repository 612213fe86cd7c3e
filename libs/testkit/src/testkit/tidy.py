"""Sizes and names: short functions, short modules, no word that hides what a thing is."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from testkit.repository import functions, tree, where

FUNCTION_LINES: Final = 60
MODULE_LINES: Final = 400
# STYLE: these say nothing about what a thing does; rot gathers in them.
BANNED_FILES: Final = frozenset(
    {"service", "manager", "helper", "helpers", "util", "utils", "common", "misc"}
)
_ELSEWHERE: Final = (ast.For, ast.While, ast.AsyncFor, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_BANNED_WORD: Final = re.compile(r"(Manager|Service|Helper|Util|Utils)$")


def long_functions(module: Path, *, limit: int = FUNCTION_LINES) -> list[str]:
    """Functions of more lines than the limit, docstring included."""
    return [
        f"{where(module, node.lineno)} {node.name} has {length} lines, more than {limit}"
        for node in functions(module)
        if (length := (node.end_lineno or node.lineno) - node.lineno + 1) > limit
    ]


def long_module(module: Path, *, limit: int = MODULE_LINES) -> list[str]:
    length = len(module.read_text().splitlines())
    return [f"{where(module)} has {length} lines, more than {limit}"] if length > limit else []


def banned_names(module: Path, *, allowed: frozenset[str] = frozenset()) -> list[str]:
    """Files and classes whose names are banned; `allowed` are names with a reason that the caller gives."""
    problems = (
        [f"{where(module)}: a file of that name is banned"] if module.stem in BANNED_FILES - allowed else []
    )
    classes = (node for node in ast.walk(tree(module)) if isinstance(node, ast.ClassDef))
    return problems + [
        f"{where(module, node.lineno)} {node.name} is a banned name"
        for node in classes
        if _BANNED_WORD.search(node.name) and node.name not in allowed
    ]


def patched_tests(module: Path) -> list[str]:
    """Unit tests use fakes written by hand: nothing of `unittest.mock`."""
    return [f"{where(module, line)} imports unittest.mock" for line in _mock_imports(module)]


def fixed_sleeps(module: Path) -> list[str]:
    """Sleeps in the body of a test: it should wait for a condition. A sleep in a loop is how one polls."""
    tests = (node for node in functions(module) if node.name.startswith("test_"))
    return [
        f"{where(module, call.lineno)} sleeps for a fixed time"
        for test in tests
        for call in _straight_calls(test)
        if _is_sleep(call.func) and _is_time(call.args)
    ]


def _straight_calls(node: ast.AST) -> Iterator[ast.Call]:
    """The calls that run once, in line: none in a loop or in a function inside."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            yield child
        if not isinstance(child, _ELSEWHERE):
            yield from _straight_calls(child)


def _mock_imports(module: Path) -> Iterator[int]:
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("unittest.mock"):
            yield node.lineno
        if (
            isinstance(node, ast.ImportFrom)
            and node.module == "unittest"
            and any(a.name == "mock" for a in node.names)
        ):
            yield node.lineno
        if isinstance(node, ast.Import) and any(
            alias.name.startswith("unittest.mock") for alias in node.names
        ):
            yield node.lineno


def _is_sleep(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name == "sleep"


def _is_time(arguments: list[ast.expr]) -> bool:
    return bool(arguments) and isinstance(arguments[0], ast.Constant) and bool(arguments[0].value)


def threaded_dependencies(module: Path) -> list[str]:
    """Functions given to FastAPI's `Depends` that are no coroutines: it runs those in its thread pool."""
    plain = {node.name: node.lineno for node in ast.walk(tree(module)) if isinstance(node, ast.FunctionDef)}
    used = {
        call.args[0].id
        for call in ast.walk(tree(module))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "Depends"
        and call.args
        and isinstance(call.args[0], ast.Name)
    }
    return [f"{where(module, plain[name])} {name} is no coroutine" for name in sorted(used & plain.keys())]
