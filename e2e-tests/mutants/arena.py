"""A copy of the sources, in which guards are taken away and tests are run."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import cache_from_source
from pathlib import Path
from xml.etree import ElementTree

from mutants.mutant import ROOT, Mutant

COPIED = ("libs", "services", "schemas", "e2e-tests", "docs", "pyproject.toml")
LEFT_OUT = shutil.ignore_patterns("__pycache__", ".hypothesis", "*.egg-info", ".pytest_cache")
TIMEOUT_S = 300.0


class Verdict(StrEnum):
    """`BROKEN`: the test could not be judged; it did not run, or failed outside its own body."""

    PASSED = "passed"
    FAILED = "failed"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The verdict on each test that was named, parameters folded together, and what pytest printed."""

    verdicts: Mapping[str, Verdict]
    output: str


class Arena:
    """Its tests import the copy's sources: PYTHONPATH comes before the environment's own path."""

    def __init__(self, folder: Path, *, addresses: Mapping[str, str]) -> None:
        self.folder = folder
        self._addresses = addresses
        folder.mkdir(parents=True)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=LEFT_OUT)
            else:
                shutil.copy(source, folder / name)

    @contextmanager
    def mutated(self, mutant: Mutant) -> Iterator[None]:
        """Inside the block the guard is gone."""
        file = self.folder / mutant.file
        before = file.read_text()
        try:
            self._write(file, mutant.applied(self.folder))
            yield
        finally:
            self._write(file, before)

    def run(self, tests: Sequence[str], *, timeout_s: float = TIMEOUT_S) -> Outcome:
        """Run these tests by their node ids; those of a run that takes too long are BROKEN."""
        report = self.folder / "report.xml"
        report.unlink(missing_ok=True)
        command = [
            sys.executable, "-m", "pytest", "-c", "pyproject.toml", "-q", "-p", "no:cacheprovider",
            "--continue-on-collection-errors", "-o", "junit_family=xunit1", f"--junitxml={report}", *tests,
        ]  # fmt: skip
        try:
            done = subprocess.run(
                command,
                cwd=self.folder,
                env=self._environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            said = error.stdout or b""
            return Outcome(verdicts=dict.fromkeys(tests, Verdict.BROKEN), output=f"{said!r}\n{error}")
        return Outcome(verdicts=_verdicts(report, tests), output=done.stdout)

    def _write(self, file: Path, text: str) -> None:
        file.write_text(text)
        # Compiled code is told apart by the second and the size, which two versions of a line may share.
        Path(cache_from_source(str(file))).unlink(missing_ok=True)

    def _environment(self) -> Mapping[str, str]:
        folders = [
            *self.folder.glob("libs/*/src"), *self.folder.glob("libs/*/tests"),
            *self.folder.glob("services/*/src"), *self.folder.glob("services/*/tests"),
            self.folder / "e2e-tests",
        ]  # fmt: skip
        path = os.pathsep.join(map(str, sorted(folders)))
        return {**os.environ, **self._addresses, "PYTHONPATH": path}


def _verdicts(report: Path, tests: Sequence[str]) -> Mapping[str, Verdict]:
    """A test fails when one of its parameters does; an error beside its body is no judgement."""
    cases = list(ElementTree.parse(report).iter("testcase")) if report.exists() else []
    return {test: _verdict([case for case in cases if _is(case, test)]) for test in tests}


def _is(case: ElementTree.Element, test: str) -> bool:
    file, _, name = test.partition("::")
    ran = case.get("name", "")
    return case.get("file") == file and (ran == name or ran.partition("[")[0] == name)


def _verdict(cases: Sequence[ElementTree.Element]) -> Verdict:
    if any(case.find("failure") is not None for case in cases):
        return Verdict.FAILED
    if not cases or any(case.find("error") is not None or case.find("skipped") is not None for case in cases):
        return Verdict.BROKEN
    return Verdict.PASSED
