"""Kubernetes' own schemas, strict: an unknown key is an error. What has no schema there gets our own checks."""

import json
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from deploy_checks import custom_resources
from deploy_checks.paths import KUBERNETES
from deploy_checks.rendering import Document, name_of

_FOLDER: Final = files("kubernetes_validate") / "kubernetes-json-schema" / f"v{KUBERNETES}.0-local-strict"


def problems_of(document: Document) -> list[str]:
    """What is wrong with the form of one manifest. The scenarios share most of theirs: each is looked at once."""
    return list(_problems_of(json.dumps(document)))


@cache
def _problems_of(text: str) -> tuple[str, ...]:
    document = json.loads(text)
    name = name_of(document)
    group = str(document.get("apiVersion", ""))
    if custom_resources.is_custom(group):
        return tuple(f"{name}: {problem}" for problem in custom_resources.problems_of(document))
    validator = _validator(str(document.get("kind", "")).lower(), group)
    if validator is None:
        return (f"{name}: Kubernetes {KUBERNETES} has no {group}/{document.get('kind')}",)
    return tuple(
        f"{name}: {'.'.join(str(part) for part in error.absolute_path)}: {error.message}"
        for error in validator.iter_errors(document)
    )


@cache
def _validator(kind: str, group: str) -> Draft202012Validator | None:
    domain, _, version = group.rpartition("/")
    prefix = f"{domain.split('.')[0]}-" if domain else ""
    file = _FOLDER / f"{kind}-{prefix}{version}.json"
    if not file.is_file():
        return None
    schema = json.loads(file.read_text(encoding="utf-8"))
    registry = Resource.from_contents(schema) @ _definitions()
    return Draft202012Validator(schema, registry=registry)


@cache
def _definitions() -> "Registry[Any]":
    content = json.loads((_FOLDER / "_definitions.json").read_text(encoding="utf-8"))
    registry: Registry[Any] = Registry()
    return Resource.from_contents(content) @ registry
