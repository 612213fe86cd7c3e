"""The catalog stays true while the sources change."""

import ast
from pathlib import Path

import pytest

from mutants.mutant import ROOT, DoesNotApply, Mutant, catalog
from mutants.page import PAGE, page

MUTANTS = catalog()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_changes_exactly_one_place_and_python_still_reads_it(mutant: Mutant) -> None:
    text = mutant.applied(ROOT)
    assert text != (ROOT / mutant.file).read_text()
    ast.parse(text)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_tests_that_kill_a_mutant_exist(mutant: Mutant) -> None:
    assert mutant.killed_by
    for test in mutant.killed_by:
        file, _, name = test.partition("::")
        assert name.partition("[")[0] in _functions(ROOT / file), test


def test_names_are_used_once() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert len(names) == len(set(names))


def test_the_page_is_current() -> None:
    assert PAGE.read_text() == page(MUTANTS), "run .venv/bin/python -m mutants --page"


def test_a_text_that_is_gone_or_repeated_does_not_apply(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\nx = 1\n")
    for find in ("y = 1", "x = 1"):
        mutant = Mutant(name="m", breaks="b", file="a.py", find=find, replace="", killed_by=())
        with pytest.raises(DoesNotApply):
            mutant.applied(tmp_path)


def _functions(file: Path) -> set[str]:
    tree = ast.parse(file.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
