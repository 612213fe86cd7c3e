"""What every pod and every Deployment of ours must keep to."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from deploy_checks.rendering import Document, name_of

KINDS: Final = ("Deployment", "StatefulSet", "DaemonSet", "Job", "Pod")
WORKER_STOP_S: Final = 15
"""What a worker takes, at the longest, to end what it has at hand (messaging.worker)."""
_SECRET_NAME: Final = re.compile(r"(PASSWORD|SECRET|TOKEN|_KEY|CREDENTIALS|DSN)(_|$)")
_NOT_SECRET: Final = ("TOKEN_ISSUER", "TOKEN_AUDIENCE", "EFI_PIX_KEY")


def pods(documents: Sequence[Document]) -> Iterator[tuple[Document, dict[str, Any]]]:
    """Each workload with the specification of its pods."""
    for document in documents:
        if document["kind"] == "Pod":
            yield document, document["spec"]
        elif document["kind"] in KINDS:
            yield document, document["spec"]["template"]["spec"]


def problems_of(documents: Sequence[Document]) -> list[str]:
    """All of one rendering's."""
    found = []
    for document, pod in pods(documents):
        name = name_of(document)
        found += [f"{name}: {problem}" for problem in _of_pod(pod)]
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            found += [f"{name}/{container['name']}: {problem}" for problem in _of_container(container)]
            if document["kind"] not in {"Job", "Pod"}:
                found += [f"{name}/{container['name']}: {problem}" for problem in _of_probes(container)]
    found += [f"{name_of(d)}: a secret's value" for d in documents if _has_values(d)]
    return found + scaling_problems(documents)


def _of_pod(pod: Mapping[str, Any]) -> Iterator[str]:
    if pod.get("automountServiceAccountToken") is not False:
        yield "mounts a token of the API"
    context = pod.get("securityContext", {})
    if context.get("runAsNonRoot") is not True or not context.get("runAsUser"):
        yield "may run as root"
    if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield "runs without the runtime's seccomp profile"
    for forbidden in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(forbidden):
            yield f"has {forbidden}"
    for volume in pod.get("volumes", []):
        if "hostPath" in volume:
            yield f"mounts the host's {volume['hostPath']}"
    yield from _of_shutdown(pod)


def _of_shutdown(pod: Mapping[str, Any]) -> Iterator[str]:
    """The grace period must hold the pause, the drain, the last requests and a worker's last work."""
    for container in pod["containers"]:
        environment = {entry["name"]: entry.get("value") for entry in container.get("env", [])}
        if "lifecycle" not in container or "DRAIN_S" not in environment:
            continue
        needed = container["lifecycle"]["preStop"]["sleep"]["seconds"] + WORKER_STOP_S
        needed += float(environment["DRAIN_S"] or 0) + float(environment["SHUTDOWN_S"] or 0)
        grace = pod.get("terminationGracePeriodSeconds", 30)
        if grace < needed:
            yield f"is killed after {grace} s, but may need {needed:g} s to stop"


def _of_container(container: Mapping[str, Any]) -> Iterator[str]:
    context = container.get("securityContext", {})
    wanted = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "runAsNonRoot": True}
    for key, value in wanted.items():
        if context.get(key) is not value:
            yield f"{key} is not {value}"
    if context.get("capabilities", {}).get("drop") != ["ALL"] or context["capabilities"].get("add"):
        yield "keeps capabilities"
    if context.get("privileged"):
        yield "is privileged"
    resources = container.get("resources", {})
    if not {"cpu", "memory"} <= set(resources.get("requests", {})):
        yield "requests no cpu or no memory"
    if "memory" not in resources.get("limits", {}):
        yield "has no memory limit"
    yield from _of_image(str(container.get("image", "")))
    yield from _of_environment(container)
    if not any(mount["name"] == "tmp" for mount in container.get("volumeMounts", [])):
        yield "has nowhere to write: no emptyDir tmp"


def _of_image(image: str) -> Iterator[str]:
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    if not digest and (not tag or tag == "latest"):
        yield f"image {image!r} names no version"


def _of_environment(container: Mapping[str, Any]) -> Iterator[str]:
    for entry in container.get("env", []):
        name, value = entry["name"], str(entry.get("value", ""))
        secret = _SECRET_NAME.search(name) and name not in _NOT_SECRET and not name.endswith("_FILE")
        if value and secret:
            yield f"{name} carries a secret as a value"
        if re.search(r"://[^/@\s]*:[^/@\s]*@", value):
            yield f"{name} carries a password in an address"


def _of_probes(container: Mapping[str, Any]) -> Iterator[str]:
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        if probe not in container:
            yield f"has no {probe}"
    paths = [
        container.get(probe, {}).get("httpGet", {}).get("path")
        for probe in ("readinessProbe", "livenessProbe")
    ]
    if paths[0] is not None and paths[0] == paths[1]:
        yield f"asks {paths[0]} for readiness and for liveness: a dependency's failure would restart it"


def _has_values(document: Document) -> bool:
    if document["kind"] != "Secret":
        return False
    return any({**document.get("data", {}), **document.get("stringData", {})}.values())


def scaling_problems(documents: Sequence[Document]) -> list[str]:
    """No replicas beside an autoscaler; a disruption budget exactly where there is more than one pod."""
    scalers = {
        d["spec"]["scaleTargetRef"]["name"]: d for d in documents if d["kind"] == "HorizontalPodAutoscaler"
    }
    budgets = [d for d in documents if d["kind"] == "PodDisruptionBudget"]
    found = []
    for document in documents:
        labels = document["metadata"].get("labels", {})
        if document["kind"] != "Deployment" or labels.get("app.kubernetes.io/part-of") != "ibora":
            continue
        scaler = scalers.pop(document["metadata"]["name"], None)
        found += [f"{name_of(document)}: {problem}" for problem in _of_scaling(document, scaler, budgets)]
    return found + [f"{name_of(scaler)}: scales nothing" for scaler in scalers.values()]


def _of_scaling(document: Document, scaler: Document | None, budgets: Sequence[Document]) -> Iterator[str]:
    spec = document["spec"]
    if scaler is not None and "replicas" in spec:
        yield "sets replicas, which its autoscaler decides"
    least = scaler["spec"]["minReplicas"] if scaler else spec.get("replicas", 1)
    if scaler and scaler["spec"]["maxReplicas"] < least:
        yield "scales to fewer than its least"
    labels = spec["template"]["metadata"]["labels"]
    protected = [b for b in budgets if b["spec"]["selector"]["matchLabels"].items() <= labels.items()]
    if (least > 1) != (len(protected) == 1):
        yield f"has {least} pods and {len(protected)} disruption budgets"
    spread = [c["topologyKey"] for c in spec["template"]["spec"].get("topologySpreadConstraints", [])]
    if set(spread) != {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}:
        yield "is not spread over zones and hosts"
    if not spec["selector"]["matchLabels"].items() <= labels.items():
        yield "does not select its own pods"
