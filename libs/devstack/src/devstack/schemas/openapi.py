"""The public OpenAPI: what the gateway serves, merged from the services' own documents.

Public is every operation of a service but those of the simulator, of paths that only operators, other
services or Efí call, and those marked `x-internal`.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

Node = dict[str, Any]

PREFIX: Final = "/v1"
METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
PRIVATE_SERVICES: Final = frozenset({"efi-simulator"})
PRIVATE_PATHS: Final = ("/internal", "/webhooks", "/_", "/health", "/ready", "/metrics", "/docs", "/openapi")
REFERENCE: Final = "#/components/"

Component = tuple[str, str]
"""A component's kind ("schemas") and name."""


class UnmergeableDocuments(Exception):
    """An operation or an operation id is claimed twice."""


def public_openapi(documents: Mapping[str, Node]) -> Node:
    """One document of all public operations, under `/v1`; UnmergeableDocuments when two of them collide."""
    public = {
        name: _public(document)
        for name, document in sorted(documents.items())
        if name not in PRIVATE_SERVICES
    }
    contested = _contested(public)
    paths: dict[str, Node] = defaultdict(dict)
    components: dict[str, Node] = defaultdict(dict)
    owners: dict[str, str] = {}
    for service, document in public.items():
        renamed = _renamed(document, service=service, contested=contested)
        _add_paths(renamed["paths"], service=service, to=paths, owners=owners)
        for kind, members in renamed.get("components", {}).items():
            components[kind] |= members
    return _document(paths, components=components)


def _document(paths: Mapping[str, Node], *, components: Mapping[str, Node]) -> Node:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Ibora",
            "version": "1",
            "description": "Ride-hailing for Brazil: rides, Pix payments, payouts. Errors are problem+json.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": dict(sorted(paths.items())),
        "components": {kind: dict(sorted(members.items())) for kind, members in sorted(components.items())},
    }


def _public(document: Node) -> Node:
    """The document's public operations and the components that they use."""
    paths: Node = {}
    for path, item in document.get("paths", {}).items():
        operations = {key: value for key, value in item.items() if not _is_private(path, value)}
        if any(method in operations for method in METHODS):
            paths[path] = operations
    components = document.get("components", {})
    used = _reachable(paths, components=components) | {("securitySchemes", name) for name in _schemes(paths)}
    kept = {
        kind: {name: value for name, value in members.items() if (kind, name) in used}
        for kind, members in components.items()
    }
    return {"paths": paths, "components": {kind: members for kind, members in kept.items() if members}}


def _is_private(path: str, operation: object) -> bool:
    return path.startswith(PRIVATE_PATHS) or (
        isinstance(operation, dict) and operation.get("x-internal") is True
    )


def _schemes(paths: Node) -> Iterator[str]:
    for item in paths.values():
        for operation in item.values():
            if isinstance(operation, dict):
                yield from (name for need in operation.get("security", []) for name in need)


def _reachable(node: Any, *, components: Node) -> set[Component]:
    found: set[Component] = set()
    pending = list(_references(node))
    while pending:
        component = pending.pop()
        if component not in found:
            found.add(component)
            pending += _references(components[component[0]][component[1]])
    return found


def _references(node: Any) -> Iterator[Component]:
    """The components that `node` refers to, by reference or in a discriminator's mapping."""
    if isinstance(node, str) and node.startswith(REFERENCE):
        kind, _, name = node.removeprefix(REFERENCE).partition("/")
        yield kind, name
    elif isinstance(node, dict):
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _contested(documents: Mapping[str, Node]) -> set[Component]:
    """The components that two services mean differently, and those that refer to such ones."""
    bodies: dict[Component, list[Node]] = defaultdict(list)
    for document in documents.values():
        for kind, members in document["components"].items():
            for name, body in members.items():
                bodies[kind, name].append(body)
    shared = {component: found for component, found in bodies.items() if len(found) > 1}
    contested = {
        component for component, found in shared.items() if len({_canonical(body) for body in found}) > 1
    }
    grown: set[Component] = set()
    while grown != contested:
        grown = set(contested)
        contested |= {each for each, found in shared.items() if grown & set(_references(found))}
    return contested


def _canonical(body: Node) -> str:
    return json.dumps(body, sort_keys=True)


def _renamed(document: Node, *, service: str, contested: set[Component]) -> Node:
    prefix = "".join(word.capitalize() for word in service.split("-"))
    names = {
        f"{REFERENCE}{kind}/{name}": f"{REFERENCE}{kind}/{prefix}{name}"
        for kind, name in contested
        if kind != "securitySchemes"
    }
    renamed = {
        kind: {
            (f"{prefix}{name}" if f"{REFERENCE}{kind}/{name}" in names else name): body
            for name, body in members.items()
        }
        for kind, members in document["components"].items()
    }
    moved: Node = _moved({"paths": document["paths"], "components": renamed}, names=names)
    return moved


def _moved(node: Any, *, names: Mapping[str, str]) -> Any:
    if isinstance(node, str):
        return names.get(node, node)
    if isinstance(node, list):
        return [_moved(item, names=names) for item in node]
    if isinstance(node, dict):
        return {key: _moved(value, names=names) for key, value in node.items()}
    return node


def _add_paths(paths: Node, *, service: str, to: dict[str, Node], owners: dict[str, str]) -> None:
    for path, item in paths.items():
        for key, value in item.items():
            if key not in METHODS:
                to[PREFIX + path][key] = value
                continue
            where = f"{key.upper()} {path}"
            _claim(where, service=service, owners=owners)
            _claim(f"operationId {value.get('operationId', where)}", service=service, owners=owners)
            to[PREFIX + path][key] = {**value, "x-ibora-service": service}


def _claim(what: str, *, service: str, owners: dict[str, str]) -> None:
    if what in owners:
        raise UnmergeableDocuments(f"{what}: claimed by {owners[what]} and by {service}")
    owners[what] = service
