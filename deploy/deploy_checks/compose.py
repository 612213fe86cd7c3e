"""docker-compose.yml: the same restrictions for every container, settings that exist, an order that ends."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

from deploy_checks import webhook_subject
from deploy_checks.dockerfiles import SERVICES
from deploy_checks.environments import compare
from deploy_checks.paths import ROOT
from deploy_checks.service_map import WITH_A_DATABASE

FILE: Final = ROOT / "docker-compose.yml"
PARTS: Final = ("postgres", "kafka", "valkey")
JOBS: Final = ("secrets", "databases", "topics")
_SECRET: Final = re.compile(r"(?i)(password|secret|token|credentials)(?!.*_file)")
_NAMES: Final = ("TOKEN_ISSUER", "TOKEN_AUDIENCE")


def read() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return content


def problems(content: Mapping[str, Any] | None = None) -> Iterator[str]:
    """All of the file's, or of a changed one's."""
    content = read() if content is None else content
    services: dict[str, Any] = content["services"]
    wanted = {*SERVICES, *PARTS, *JOBS, *(f"{name}-migrate" for name in WITH_A_DATABASE)}
    yield from (f"{name} is missing or unknown" for name in sorted(wanted ^ set(services)))
    for name, service in services.items():
        yield from (f"{name}: {problem}" for problem in _of_service(name, service, services))
        yield from (f"{name}: {problem}" for problem in _of_volumes(service, content.get("volumes", {})))
    yield from _circles(services)


def _of_service(name: str, service: Mapping[str, Any], services: Mapping[str, Any]) -> Iterator[str]:
    if service.get("read_only") is not True:
        yield "may write to its image"
    if service.get("cap_drop") != ["ALL"] or service.get("cap_add") or service.get("privileged"):
        yield "keeps capabilities"
    if service.get("security_opt") != ["no-new-privileges:true"]:
        yield "may gain privileges"
    if not any(str(entry).startswith("/tmp") for entry in service.get("tmpfs", [])):  # noqa: S108  # a container's
        yield "has no /tmp"
    if name in PARTS and str(service.get("user", "0")).startswith("0"):
        yield "runs as root"
    if name in PARTS and "healthcheck" not in service:
        yield "has no health check"
    yield from _of_image(service)
    yield from _of_environment(name, service)
    yield from _of_order(service, services)


def _of_image(service: Mapping[str, Any]) -> Iterator[str]:
    image = re.sub(r"\$\{\w+:-(.*)\}", r"\1", service["image"])
    if ":" not in image or image.endswith(":latest"):
        yield f"image {image} names no version"
    build = service.get("build")
    if build and not (ROOT / build["context"] / build["dockerfile"]).exists():
        yield f"{build['dockerfile']} does not exist"


def _of_environment(name: str, service: Mapping[str, Any]) -> Iterator[str]:
    environment: Mapping[str, Any] = service.get("environment", {})
    for key, value in environment.items():
        if _SECRET.search(key) and not key.endswith("_FILE") and key not in _NAMES and value:
            yield f"{key} carries a secret"
        if re.search(r"://[^/@\s]*:[^/@\s]*@", str(value)):
            yield f"{key} carries a password in an address"
    yield from webhook_subject.of_environment({key: str(value) for key, value in environment.items()})
    ours = name.removesuffix("-migrate")
    if ours in SERVICES:
        component = "migration" if name != ours else "all"
        yield from compare(ours, set(environment), component)


def _of_order(service: Mapping[str, Any], services: Mapping[str, Any]) -> Iterator[str]:
    for other, how in service.get("depends_on", {}).items():
        if other not in services:
            yield f"waits for {other}, which is not there"
            continue
        one_shot = services[other].get("restart") == "no"
        wanted = "service_completed_successfully" if one_shot else "service_healthy"
        if how["condition"] != wanted:
            yield f"waits for {other} to be {how['condition']}, not {wanted}"


def _of_volumes(service: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[str]:
    for volume in service.get("volumes", []):
        source = str(volume).partition(":")[0]
        if source not in known:
            yield f"mounts {source}, which is no volume of the file"


def _circles(services: Mapping[str, Any]) -> Iterator[str]:
    """Services that wait for each other. Removing what waits for nobody must empty the table."""
    waiting = {name: set(service.get("depends_on", {})) & set(services) for name, service in services.items()}
    while free := {name for name, others in waiting.items() if not others & set(waiting)}:
        waiting = {name: others for name, others in waiting.items() if name not in free}
    if waiting:
        yield f"these wait for each other: {', '.join(sorted(waiting))}"
