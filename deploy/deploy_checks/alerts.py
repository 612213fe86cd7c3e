"""Every alert watches metrics that the code has, and leads to a runbook that knows it."""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

from deploy_checks.paths import ROOT
from deploy_checks.rendering import rendered, scenarios

SOURCES: Final = ("libs/*/src", "services/*/src")
_DECLARED: Final = re.compile(r'\b(?:Counter|Gauge|Histogram|Summary)\(\s*"([a-z_]+)"')
_SERIES: Final = re.compile(r"[a-z_]+_[a-z_]+")
# What PromQL itself and labels may put into an expression.
_WORDS: Final = re.compile(r'"[^"]*"|\b(?:by|without|on)\s*\([^)]*\)|\{[^}]*\}|\bhistogram_quantile\b')
_SUFFIXES: Final = ("_bucket", "_count", "_sum")
_LIMIT: Final = re.compile(r"[<>]=?\s*([0-9.]+)\s*$")
_TOLD: Final = re.compile(
    r"`([a-z_]+)(?:\{[^}]*\})?`\s+(?:is\s+)?(?:under|below|over|above|[<>≥≤]=?)\s+([0-9.]*[0-9])"
)


def problems() -> Iterator[str]:
    """Of the production scenario, where monitoring is on."""
    found = list(_alerts())
    if not found:
        yield "the production scenario renders no alert"
    for alert in found:
        yield from alert_problems(alert, metrics=metrics_in_code(), root=ROOT)


def alert_problems(alert: dict[str, Any], *, metrics: frozenset[str], root: Path) -> Iterator[str]:
    """Of one rule, against the names of metrics and the runbooks under `root`."""
    name = alert["alert"]
    for series in sorted(series_in(alert["expr"])):
        if _metric_of(series) not in metrics:
            yield f"{name} watches {series}, which no code declares"
    runbook = alert.get("annotations", {}).get("runbook")
    if runbook is None:
        yield f"{name} leads to no runbook"
        return
    page = root / runbook
    if not page.is_file():
        yield f"{name} leads to {runbook}, which is not there"
        return
    text = page.read_text(encoding="utf-8")
    if name not in text:
        yield f"{runbook} does not name {name}"
    yield from (f"{runbook} says {problem}" for problem in _other_limits(alert["expr"], text))


def series_in(expression: str) -> set[str]:
    """The names of series that an expression reads."""
    return set(_SERIES.findall(_WORDS.sub(" ", expression)))


def _other_limits(expression: str, text: str) -> Iterator[str]:
    """Numbers that a runbook's first paragraph, which says how it shows, compares a series of the alert with."""
    limits = {}
    for clause in expression.split(" or "):
        if limit := _LIMIT.search(clause):
            limits.update(dict.fromkeys(series_in(clause), float(limit[1])))
    shows = next((part for part in text.split("\n\n") if not part.startswith("#")), "")
    for series, number in _TOLD.findall(shows):
        if float(number) != limits.get(series, float(number)):
            yield f"{series} is compared with {number}, the alert's limit is {limits[series]:g}"


def _metric_of(series: str) -> str:
    for suffix in _SUFFIXES:
        if series.endswith(suffix):
            return series.removesuffix(suffix)
    return series


@cache
def metrics_in_code() -> frozenset[str]:
    """The name of every metric that a library or service declares."""
    files = (file for pattern in SOURCES for file in ROOT.glob(f"{pattern}/**/*.py"))
    return frozenset(name for file in files for name in _DECLARED.findall(file.read_text(encoding="utf-8")))


def _alerts() -> Iterable[dict[str, Any]]:
    for document in rendered(scenarios()["production"]):
        if document["kind"] == "PrometheusRule":
            for group in document["spec"]["groups"]:
                yield from group["rules"]
