"""The coverage that the repository promises, checked at the end of `make test`.

More than 85 % of lines, and every branch where money and states are decided. A pytest plugin
(`-p testkit.coverage_gate`) that reads the JSON which pytest-cov has written.
"""

import fnmatch
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from devstack.folders import ROOT

LINES_PERCENT: Final = 85.0
WHOLE: Final = ("services/*/src/*/domain/*.py", "libs/kernel/src/kernel/money.py")
REPORT: Final = ROOT / "build" / "coverage.json"

_VERDICT = pytest.StashKey[list[str]]()


def verdict(report: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """(what to print, what is wrong) of a coverage report in coverage.py's JSON format."""
    totals = report["totals"]
    lines = 100 * totals["covered_lines"] / max(1, totals["num_statements"])
    said = [f"lines {lines:.1f} % of {totals['num_statements']} (more than {LINES_PERCENT:.0f} %)"]
    wrong = [] if lines > LINES_PERCENT else [f"lines: {lines:.1f} % is not more than {LINES_PERCENT:.0f} %"]
    gaps = list(_gaps(report["files"]))
    whole = [name for name in report["files"] if _is_whole(name)]
    said.append(f"domains and money: {len(whole)} files, {len(gaps)} with a gap (every line and branch)")
    return said, wrong + gaps


def _is_whole(name: str) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in WHOLE)


def _gaps(files: Mapping[str, Any]) -> Iterator[str]:
    for name, file in sorted(files.items()):
        branches = [f"{start}->{end}" for start, end in file.get("missing_branches", [])]
        if _is_whole(name) and (file["missing_lines"] or branches):
            yield f"{name}: lines {file['missing_lines']}, branches {branches}"


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """pytest-cov has written its report by now; the closing line comes after this."""
    if hasattr(session.config, "workerinput") or not REPORT.exists():
        return
    said, wrong = verdict(json.loads(REPORT.read_text()))
    session.config.stash[_VERDICT] = [*said, *(f"✗ {problem}" for problem in wrong)]
    if wrong and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_configure(config: pytest.Config) -> None:
    """A report of an earlier run says nothing about this one."""
    if not hasattr(config, "workerinput"):
        REPORT.unlink(missing_ok=True)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if said := terminalreporter.config.stash.get(_VERDICT, []):
        terminalreporter.section("coverage")
        for line in said:
            terminalreporter.write_line(line, red=line.startswith("✗"))
