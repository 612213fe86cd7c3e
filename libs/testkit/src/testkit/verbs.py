"""A verb is a file: one public function of its name, and a signature that tells the truth about I/O."""

import ast
from pathlib import Path

from testkit.repository import tree, where


def broken_names(file: Path) -> list[str]:
    """The file of a verb holds exactly one public function, named as the file."""
    public = [node.name for node in _functions(file) if not node.name.startswith("_")]
    if public == [file.stem]:
        return []
    return [f"{where(file)} should hold one public function {file.stem}, has {', '.join(public) or 'none'}"]


def broken_signature(file: Path) -> list[str]:
    """A use case is `async def verb(tx, *, …)`; anything but `tx` is given by name."""
    found = [node for node in _functions(file) if node.name == file.stem]
    if not found:
        return []
    verb, problems = found[0], []
    positional = [argument.arg for argument in (*verb.args.posonlyargs, *verb.args.args)]
    if positional != ["tx"]:
        problems.append(f"takes {positional} by position, should take tx alone and the rest after *")
    if verb.args.vararg or verb.args.kwarg:
        problems.append("hides arguments behind * or **")
    if not isinstance(verb, ast.AsyncFunctionDef):
        problems.append("is not asynchronous, though it has a transaction")
    return [f"{where(file, verb.lineno)} {problem}" for problem in problems]


def _functions(file: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in tree(file).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
