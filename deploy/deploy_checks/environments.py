"""Every variable that a deployment sets is a setting of that service, and every setting it requires is set."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any, Final

import yaml

from deploy_checks import workloads
from deploy_checks.paths import MANIFESTS
from deploy_checks.rendering import Document, load, name_of
from deploy_checks.service_map import PARTS, WITH_A_DATABASE

MIGRATION_ONLY: Final = ("DATABASE_OWNER_URL", "DATABASE_OWNER_PASSWORD_FILE")
EVERYWHERE: Final = ("SERVICE_HOST", "SERVICE_PORT")
# Without them a service starts, but cannot tell who asks, or is deaf: settings with a default are not always optional.
BEHIND: Final = ("GATEWAY_TOKEN_FILE", "VALKEY_URL")
ASKING: Final = ("JWKS_URL", "IDENTITY_URL")
# Unsigned anchors prove nothing to who keeps the log.
OF_ONE: Final[Mapping[str, frozenset[str]]] = {"ledger": frozenset({"ANCHOR_KEY_FILE"})}


@cache
def settings_of(service: str) -> Mapping[str, bool]:
    """The variables that a service reads, each with whether it is required."""
    module = import_module(f"{service.replace('-', '_')}.settings")
    fields = module.Settings.model_fields
    return {name.upper(): field.is_required() for name, field in fields.items()}


def problems_of(documents: Sequence[Document]) -> list[str]:
    """Of every pod of a service in a rendering."""
    found = []
    for document, pod in workloads.pods(documents):
        service = _service_of(document)
        if service is None:
            continue
        given = {entry["name"] for entry in pod["containers"][0].get("env", [])}
        component = document["metadata"]["labels"].get("app.kubernetes.io/component", "")
        found += [f"{name_of(document)}: {problem}" for problem in compare(service, given, component)]
    return found


def compare(service: str, given: set[str], component: str = "all") -> Iterator[str]:
    """Unknown names, and required ones that are missing."""
    known = settings_of(service)
    yield from (f"{name} is no setting of {service}" for name in sorted(given - set(known)))
    wanted = {name for name, required in known.items() if required} | set(EVERYWHERE)
    if service != "efi-simulator":
        wanted |= set(BEHIND) | (set(ASKING) if service != "identity" else set())
    wanted |= OF_ONE.get(service, frozenset())
    if component == "migration":
        wanted |= set(MIGRATION_ONLY)
    yield from (f"{name} is not set" for name in sorted(wanted - given))
    if component in {"api", "worker"}:
        yield from (f"{name} belongs to the migration alone" for name in MIGRATION_ONLY if name in given)


def _service_of(document: Document) -> str | None:
    labels = document["metadata"].get("labels", {})
    name = labels.get("app.kubernetes.io/name")
    if labels.get("app.kubernetes.io/component") == "test":
        return None
    return name if name in PARTS or name == "efi-simulator" else None


def mounted_problems(documents: Sequence[Document]) -> list[str]:
    """A setting that names a file under /run/secrets names one that a volume brings."""
    found = []
    for document, pod in workloads.pods(documents):
        volumes = {volume["name"]: volume for volume in pod.get("volumes", [])}
        for container in pod["containers"]:
            files = _files(container, volumes)
            for entry in container.get("env", []):
                value = str(entry.get("value", ""))
                if (
                    entry["name"].endswith("_FILE")
                    and value.startswith("/run/secrets")
                    and value not in files
                ):
                    folder = value.rpartition("/")[0]
                    if f"{folder}/*" not in files:
                        found.append(f"{name_of(document)}: nothing brings {value} of {entry['name']}")
    return found


def _files(container: Mapping[str, Any], volumes: Mapping[str, Any]) -> set[str]:
    """The secret files in a container; `<folder>/*` for a secret that is mounted whole."""
    found = set()
    for mount in container.get("volumeMounts", []):
        secret = volumes.get(mount["name"], {}).get("secret")
        if secret is None:
            continue
        items = [item["path"] for item in secret.get("items", [])] or ["*"]
        found |= {f"{mount['mountPath']}/{path}" for path in items}
    return found


def partition_problems(documents: Sequence[Document]) -> list[str]:
    """More workers than partitions of the widest topic that they read would stand idle."""
    partitions = topic_partitions()
    found = []
    for document in documents:
        labels = document["metadata"].get("labels", {})
        if labels.get("app.kubernetes.io/component") != "worker":
            continue
        most = _most_pods(document)
        topics = topics_of(labels["app.kubernetes.io/name"])
        widest = max((partitions[topic] for topic in topics), default=1)
        if most > widest:
            found.append(f"{name_of(document)}: up to {most} workers for {widest} partitions")
    return found


def _most_pods(document: Document) -> int:
    spec = document["spec"]
    if document["kind"] == "HorizontalPodAutoscaler":
        return int(spec["maxReplicas"])
    return int(spec.get("replicas", 1)) if document["kind"] == "Deployment" else 0


@cache
def topic_partitions() -> Mapping[str, int]:
    """Of the generated KafkaTopics."""
    topics = load((MANIFESTS / "kafka-topics.yaml").read_text(encoding="utf-8"))
    return {topic["metadata"]["name"]: topic["spec"]["partitions"] for topic in topics}


@cache
def topics_of(service: str) -> frozenset[str]:
    """The topics that a service's worker reads."""
    if service not in WITH_A_DATABASE:
        return frozenset()
    consumers = import_module(f"{service.replace('-', '_')}.consumers")
    facts = [*getattr(consumers, "HANDLERS", {}), *getattr(consumers, "STREAMS", {})]
    return frozenset(fact.topic.name for fact in facts)


def service_urls_problems(documents: Sequence[Document]) -> list[str]:
    """The gateway is told of Services that exist."""
    services = {d["metadata"]["name"] for d in documents if d["kind"] == "Service"}
    found = []
    for document, pod in workloads.pods(documents):
        for entry in pod["containers"][0].get("env", []):
            if entry["name"] == "SERVICE_URLS":
                urls = json.loads(entry["value"])
                hosts = {url.removeprefix("http://").partition(":")[0] for url in urls.values()}
                found += [f"{name_of(document)}: no Service {host}" for host in sorted(hosts - services)]
    return found


def chart_peers(values_text: str, defaults_text: str) -> tuple[Mapping[str, Any], Sequence[Any]]:
    """The peers and the extra egress that a values file amounts to on top of the chart's defaults."""
    values = yaml.safe_load(values_text).get("networkPolicy", {})
    defaults = yaml.safe_load(defaults_text)["networkPolicy"]
    merged = {**defaults["peers"]}
    for name, peer in values.get("peers", {}).items():
        merged[name] = {**merged[name], **peer} if isinstance(peer, dict) else peer
    return merged, values.get("extraEgress", [])
