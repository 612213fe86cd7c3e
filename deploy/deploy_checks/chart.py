"""The chart: linted, rendered, refused when it should be, and all of the checks over what it renders."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from deploy_checks import environments, network, schemas, webhook_subject, workloads
from deploy_checks.paths import CHART
from deploy_checks.rendering import (
    FIRST_CLUSTER,
    Document,
    RenderingFailed,
    plain_manifests,
    render,
    rendered,
    rendered_text,
    scenarios,
)
from deploy_checks.tools import helm

RENDERED: Final = FIRST_CLUSTER.with_name("services.yaml")
_HEADER: Final = (
    "# Rendered from deploy/helm/ibora with first-cluster-values.yaml by `python -m deploy_checks --write`.\n"
    "# The chart's hooks are plain Jobs here: apply them, wait, then apply the rest (docs/deployment.md).\n"
)

# What must not render: what is changed in the minimal values (None takes a value away), and a word of the refusal.
REFUSED: Final[tuple[tuple[str, Any, str], ...]] = (
    ("gatewayToken.existingSecret", None, "gatewayToken.existingSecret"),
    ("services.payment.existingSecret", None, "services.payment.existingSecret"),
    ("services.identity.ownerSecret", None, "services.identity.ownerSecret"),
    ("efi.existingSecret", None, "efi.existingSecret"),
    ("webhook.existingSecret", None, "webhook.existingSecret"),
    ("webhook.clientSubject", None, "webhook.clientSubject is required"),
    ("webhook.clientSubject", "webhook-h.efipay.com.br", "must be webhook.efipay.com.br"),
    ("efi.baseUrl", "https://pix-h.api.efipay.com.br", "must be webhook-h.efipay.com.br"),
    ("kafka.securityProtocol", "SASL_SSL", "kafka.existingSecret"),
    ("kafka.securityProtocol", "SSL", "kafka.caSecret"),
    ("kafka.bootstrap", None, "kafka.bootstrap"),
    ("postgres.host", None, "postgres.host"),
    ("valkey.url", None, "valkey.url"),
    ("publicUrl", None, "publicUrl"),
    ("postgres.hots", "db.example.com", "hots"),
    ("services.paiment", {}, "paiment"),
    ("services.ledger.api.replicas", "two", "replicas"),
    ("services.ledger.worker.autoscaling.enabled", "yes please", "enabled"),
    ("services.gateway.worker", {}, "worker"),
    ("services.payment.env", {"lower_case": "x"}, "lower_case"),
    ("services.payment.digest", "sha256:short", "digest"),
    ("image.tag", "latest", "tag"),
    ("valkey.url", "redis://user:password@valkey:6379/0", "valkey"),
    ("httpRoute.enabled", True, "httpRoute"),
    ("ingress.enabled", True, "ingress"),
)


def lint_problems() -> Iterator[str]:
    """What `helm lint --strict` says of each scenario."""
    for name, values in scenarios().items():
        done = helm("lint", "--strict", "--quiet", CHART, "--values", values)
        if done.returncode:
            yield f"{name}: {(done.stdout + done.stderr).strip()}"


def refusal_problems() -> Iterator[str]:
    """Values that render although they must not, or are refused for another reason."""
    minimal = (CHART / "ci" / "minimal-values.yaml").read_text(encoding="utf-8")
    for path, value, word in REFUSED:
        refusal = refusal_of(changed(yaml.safe_load(minimal), path, value))
        if refusal is None:
            yield f"{path}={value!r} renders"
        elif word not in refusal:
            yield f"{path}={value!r} is refused, but not for {word}: {refusal}"


def changed(values: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The values with one of them replaced, or taken away by None."""
    *parents, last = path.split(".")
    place = values
    for name in parents:
        place = place.setdefault(name, {})
    if value is None:
        place.pop(last, None)
    else:
        place[last] = value
    return values


def refusal_of(values: dict[str, Any]) -> str | None:
    """helm's refusal, or None when it renders."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "values.yaml"
        file.write_text(json.dumps(values), encoding="utf-8")
        try:
            render(file)
        except RenderingFailed as error:
            return str(error)
    return None


def rendering_problems() -> Iterator[str]:
    """All checks over all scenarios."""
    for name, values in scenarios().items():
        for problem in problems_of(rendered(values), values):
            yield f"{name}: {problem}"
    yield from _release_problems()


def problems_of(documents: list[Document], values: Path) -> list[str]:
    """Every check of one rendering."""
    peers, extra = environments.chart_peers(
        values.read_text(encoding="utf-8"), (CHART / "values.yaml").read_text(encoding="utf-8")
    )
    found = [problem for document in documents for problem in schemas.problems_of(document)]
    found += workloads.problems_of(documents)
    found += network.problems_of(documents, network.Outside(peers, extra))
    found += network.unknown_services(documents)
    found += environments.problems_of(documents)
    found += environments.mounted_problems(documents)
    found += webhook_subject.problems_of(documents)
    found += environments.partition_problems(documents)
    found += environments.service_urls_problems(documents)
    return found + hook_problems(documents)


def hook_problems(documents: list[Document]) -> list[str]:
    """Every migration runs before the new version does, at the first installation too."""
    found = []
    for document in documents:
        if document["kind"] == "Job":
            hook = document["metadata"].get("annotations", {}).get("helm.sh/hook")
            if hook != "pre-install,pre-upgrade":
                found.append(f"{document['metadata']['name']}: is no hook before installation and upgrade")
    return found


def _release_problems() -> Iterator[str]:
    """Two releases share no name, and without the operators' APIs no resource of theirs is rendered."""
    values = scenarios()["production"]
    names = [
        {(d["kind"], d["metadata"]["name"]) for d in rendered(values, release=release)}
        for release in ("ibora", "other")
    ]
    yield from (f"two releases would share {shared}" for shared in sorted(names[0] & names[1]))
    bare = rendered(values, operators=False)
    if any(document["apiVersion"].startswith("monitoring.coreos.com") for document in bare):
        yield "a cluster without the Prometheus operator would get its resources"


def manifest_problems() -> Iterator[str]:
    """The plain manifests, and the rendered one's agreement with the chart."""
    for file, documents in plain_manifests().items():
        for document in documents:
            yield from (f"{file.name}: {problem}" for problem in schemas.problems_of(document))
        yield from (f"{file.name}: {problem}" for problem in workloads.problems_of(documents))
        if file != RENDERED:
            yield from (f"{file.name}: {problem}" for problem in environments.problems_of(documents))
        yield from (f"{file.name}: {problem}" for problem in environments.mounted_problems(documents))
        yield from (f"{file.name}: {problem}" for problem in webhook_subject.problems_of(documents))
    if RENDERED.read_text(encoding="utf-8") != first_cluster():
        yield f"{RENDERED.name} is out of date: python -m deploy_checks --write"
    yield from namespace_problems()


def namespace_problems() -> Iterator[str]:
    """Every namespace enforces the restricted profile."""
    documents = [document for found in plain_manifests().values() for document in found]
    for document in documents:
        labels = document["metadata"].get("labels", {})
        if (
            document["kind"] == "Namespace"
            and labels.get("pod-security.kubernetes.io/enforce") != "restricted"
        ):
            yield f"namespace {document['metadata']['name']} enforces no profile"


def first_cluster() -> str:
    """What services.yaml must hold: the chart without its test and without helm's own annotations."""
    text = rendered_text(FIRST_CLUSTER, operators=False)
    pieces = [piece for piece in text.split("\n---\n") if "helm.sh/hook: test" not in piece]
    lines = "\n---\n".join(pieces).splitlines()
    kept = [line for line in lines if not line.startswith("# Source:") and "helm.sh/hook" not in line]
    return _HEADER + "\n".join(_without_empty_annotations(kept)) + "\n"


def _without_empty_annotations(lines: list[str]) -> Iterator[str]:
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        depth = len(line) - len(line.lstrip())
        empty = line.strip() == "annotations:" and len(following) - len(following.lstrip()) <= depth
        if not empty:
            yield line


def write() -> None:
    """Render services.yaml anew."""
    RENDERED.write_text(first_cluster(), encoding="utf-8")
