"""What an app that was written against the last public OpenAPI would miss in the next."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

Node = dict[str, Any]

METHODS: Final = ("get", "put", "post", "delete", "patch")


def broken_promises(old: Node, new: Node) -> list[str]:
    """Operations and answered fields that are gone, and what a request newly must have."""
    found: list[str] = []
    for path, item in old.get("paths", {}).items():
        for method in METHODS:
            if method not in item:
                continue
            where = f"{method.upper()} {path}"
            successor = new.get("paths", {}).get(path, {}).get(method)
            if successor is None:
                found.append(f"{where}: removed")
            else:
                found += [
                    f"{where}: {change}" for change in _operation(item[method], successor, old=old, new=new)
                ]
    return found


def _operation(before: Node, after: Node, *, old: Node, new: Node) -> Iterator[str]:
    yield from _answers(before, after, old=old, new=new)
    yield from _request(before, after, old=old, new=new)
    known = {(each["in"], each["name"]) for each in before.get("parameters", [])}
    for each in after.get("parameters", []):
        if each.get("required") and (each["in"], each["name"]) not in known:
            yield f"needs a new {each['in']} parameter {each['name']}"


def _answers(before: Node, after: Node, *, old: Node, new: Node) -> Iterator[str]:
    for status, answer in before.get("responses", {}).items():
        if not status.startswith("2"):
            continue
        if status not in after.get("responses", {}):
            yield f"no longer answers {status}"
            continue
        had = _fields(_body(answer), document=old)
        has = _fields(_body(after["responses"][status]), document=new)
        yield from (f"{status} no longer has {field}" for field in sorted(had.keys() - has.keys()))


def _request(before: Node, after: Node, *, old: Node, new: Node) -> Iterator[str]:
    had = _fields(_body(before.get("requestBody", {})), document=old)
    has = _fields(_body(after.get("requestBody", {})), document=new)
    yield from (f"the request no longer takes {field}" for field in sorted(had.keys() - has.keys()))
    for field, required in sorted(has.items()):
        if required and not had.get(field, False):
            yield f"the request must have {field} now"


def _body(answer: Node) -> Node:
    content: Mapping[str, Mapping[str, Node]] = answer.get("content", {})
    return content.get("application/json", {}).get("schema", {})


def _fields(schema: Node, *, document: Node, at: str = "", seen: tuple[str, ...] = ()) -> dict[str, bool]:
    """Every field by its path, with whether it is always there."""
    reference = schema.get("$ref")
    if reference is not None:
        if reference in seen:
            return {}
        _, kind, name = reference.removeprefix("#/").split("/")
        return _fields(document["components"][kind][name], document=document, at=at, seen=(*seen, reference))
    found: dict[str, bool] = {}
    for name, each in schema.get("properties", {}).items():
        found[f"{at}/{name}"] = name in schema.get("required", [])
        found |= _fields(each, document=document, at=f"{at}/{name}", seen=seen)
    if "items" in schema:
        found |= _fields(schema["items"], document=document, at=f"{at}[]", seen=seen)
    for keyword in ("anyOf", "oneOf", "allOf"):
        for branch in schema.get(keyword, []):
            found |= _fields(branch, document=document, at=at, seen=seen)
    return found
