"""Each rule refuses what it is there to refuse."""

from pathlib import Path

import pytest

from testkit import purity, tidy, verbs


def module(folder: Path, text: str, *, name: str = "thing.py") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


@pytest.mark.parametrize(
    "line",
    [
        "import asyncio",
        "import os",
        "from sqlalchemy import select",
        "import pydantic",
        "from ride.usecases.accept_ride import accept_ride",
        "from ride import usecases",
        "from ride_other.domain import ride",
        "async def f(): ...",
        "at = datetime.now()",
        "at = clock.now()",
        "day = date.today()",
        "id_ = uuid.uuid4()",
        "id_ = new_id()",
        "text = open('x').read()",
        "print('x')",
    ],
)
def test_an_impure_line_in_a_domain_is_found(tmp_path: Path, line: str) -> None:
    module(tmp_path / "domain", line)

    assert len(purity.impurities(tmp_path / "domain", package="ride")) == 1


@pytest.mark.parametrize(
    "line",
    [
        "from dataclasses import dataclass",
        "from datetime import datetime",
        "from kernel.money import ZERO",
        "from contracts.payment import PaymentConfirmed",
        "from ride.domain.states import State",
        "from ride.domain import states",
        "from . import states",
        "intent = Intent.open(amount)",
    ],
)
def test_a_pure_line_in_a_domain_is_let_through(tmp_path: Path, line: str) -> None:
    module(tmp_path / "domain", line)

    assert purity.impurities(tmp_path / "domain", package="ride") == []


def test_a_verb_under_another_name_is_found(tmp_path: Path) -> None:
    good = module(tmp_path, "async def accept_ride(tx, *, now): ...\ndef _part(): ...", name="accept_ride.py")
    bad = module(tmp_path, "async def accept(tx, *, now): ...", name="reject_ride.py")
    two = module(tmp_path, "def start_ride(): ...\ndef stop_ride(): ...", name="start_ride.py")

    assert verbs.broken_names(good) == []
    assert len(verbs.broken_names(bad)) == 1
    assert len(verbs.broken_names(two)) == 1


@pytest.mark.parametrize(
    ("signature", "problems"),
    [
        ("async def verb(tx, *, ride_id, now): ...", 0),
        ("async def verb(tx): ...", 0),
        ("async def verb(tx, ride_id): ...", 1),
        ("async def verb(transaction, *, now): ...", 1),
        ("async def verb(tx, *, now, **more): ...", 1),
        ("def verb(tx, *, now): ...", 1),
        ("def verb(ride_id): ...", 2),
    ],
)
def test_a_signature_that_hides_something_is_found(tmp_path: Path, signature: str, problems: int) -> None:
    assert len(verbs.broken_signature(module(tmp_path, signature, name="verb.py"))) == problems


def test_long_functions_and_modules_are_found(tmp_path: Path) -> None:
    long = module(tmp_path, "def f():\n" + "    x = 1\n" * 60 + "def g():\n" + "    x = 1\n" * 59)

    assert [problem.split()[1] for problem in tidy.long_functions(long)] == ["f"]
    assert tidy.long_module(long) == []
    assert len(tidy.long_module(module(tmp_path, "x = 1\n" * 401, name="long.py"))) == 1


@pytest.mark.parametrize("name", ["RideManager", "PaymentService", "MoneyHelper", "StringUtils"])
def test_a_banned_class_is_found(tmp_path: Path, name: str) -> None:
    assert len(tidy.banned_names(module(tmp_path, f"class {name}: ..."))) == 1
    assert tidy.banned_names(module(tmp_path, f"class {name}: ..."), allowed=frozenset({name})) == []


@pytest.mark.parametrize("name", ["service.py", "utils.py", "common.py", "helpers.py"])
def test_a_banned_file_is_found(tmp_path: Path, name: str) -> None:
    assert len(tidy.banned_names(module(tmp_path, "", name=name))) == 1


@pytest.mark.parametrize(
    "line",
    ["from unittest.mock import patch", "from unittest import mock", "import unittest.mock"],
)
def test_a_mock_is_found(tmp_path: Path, line: str) -> None:
    assert len(tidy.patched_tests(module(tmp_path, line))) == 1


def test_a_fixed_sleep_is_found_and_polling_is_not(tmp_path: Path) -> None:
    text = """
async def test_something():
    time.sleep(1)
    await asyncio.sleep(0.5)
    await asyncio.sleep(0)
    while not done():
        await asyncio.sleep(0.01)
    async def work():
        await asyncio.sleep(0.01)
async def helper():
    await asyncio.sleep(1)
"""
    found = tidy.fixed_sleeps(module(tmp_path, text))

    assert [problem.split()[0].rpartition(":")[2] for problem in found] == ["3", "4"]


def test_a_dependency_that_is_no_coroutine_is_found(tmp_path: Path) -> None:
    text = (
        "async def good(): ...\n"
        "def plain(): ...\n"
        "def unused(): ...\n"
        "A = Annotated[int, Depends(good)]\n"
        "B = Annotated[int, Depends(plain)]\n"
    )
    found = tidy.threaded_dependencies(module(tmp_path, text))
    assert [problem.split()[-4:] for problem in found] == [["plain", "is", "no", "coroutine"]]
