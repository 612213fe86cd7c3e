"""The chart, rendered for each scenario of its ci folder and for the first cluster."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from deploy_checks.paths import CHART, MANIFESTS
from deploy_checks.tools import helm

Document = dict[str, Any]

OPERATORS: Final = ("monitoring.coreos.com/v1", "gateway.networking.k8s.io/v1")
FIRST_CLUSTER: Final = MANIFESTS / "first-cluster-values.yaml"
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class RenderingFailed(Exception):
    """helm refused; the text is its own."""


def scenarios() -> dict[str, Path]:
    """The values file of each scenario by its name."""
    files = sorted((CHART / "ci").glob("*-values.yaml"))
    return {
        **{file.name.removesuffix("-values.yaml"): file for file in files},
        "first-cluster": FIRST_CLUSTER,
    }


@cache
def rendered_text(values: Path, *, release: str = "ibora", operators: bool = True, hooks: bool = True) -> str:
    """All manifests of one scenario. Raises RenderingFailed."""
    options = [word for name in OPERATORS for word in ("--api-versions", name)] if operators else []
    return render(values, release=release, options=[*options, *([] if hooks else ["--no-hooks"])])


def render(values: Path, *, release: str = "ibora", options: Sequence[str] = ()) -> str:
    done = helm("template", release, CHART, "--namespace", "ibora", "--values", values, *options)
    if done.returncode:
        raise RenderingFailed(done.stderr.strip())
    return done.stdout


def rendered(values: Path, *, release: str = "ibora", operators: bool = True) -> list[Document]:
    """The same, parsed anew at every call: a caller may change what it gets."""
    documents: list[Document] = json.loads(_rendered_json(values, release=release, operators=operators))
    return documents


@cache
def _rendered_json(values: Path, *, release: str, operators: bool) -> str:
    """JSON, because YAML takes a second to parse."""
    return json.dumps(load(rendered_text(values, release=release, operators=operators)))


def load(text: str) -> list[Document]:
    """The documents of a YAML text that are not empty."""
    # The loader is a safe one.
    return [document for document in yaml.load_all(text, Loader=_LOADER) if document]


def plain_manifests() -> dict[Path, list[Document]]:
    """Every manifest of deploy/k8s that is not a values file."""
    files = sorted(MANIFESTS.glob("*.yaml"))
    return {
        file: load(file.read_text(encoding="utf-8"))
        for file in files
        if not file.name.endswith("-values.yaml")
    }


def name_of(document: Document) -> str:
    """Kind and name, for messages."""
    return f"{document.get('kind')}/{document.get('metadata', {}).get('name')}"
