"""`docs/settings.md`: every variable of every service's environment, from the Settings classes."""

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python
from pydantic_settings import BaseSettings

OWN: Final = "Settings"
BOUNDS: Final = ((Gt, "gt", ">"), (Ge, "ge", "≥"), (Lt, "lt", "<"), (Le, "le", "≤"))
PLAIN: Final = {
    bool: "boolean",
    int: "integer",
    float: "number",
    Decimal: "decimal",
    str: "text",
    Path: "file",
}
SHARED: Final = {
    "WebSettings": "The HTTP door",
    "DatabaseSettings": "The database",
    "KafkaSettings": "Kafka, relay and consumer",
    "TelemetrySettings": "Logs, traces and crash reports",
    "EfiSettings": "Efí",
}
HEADING: Final = """# Settings

<!-- Generated from the services' Settings classes by `make schemas`: change it there. -->

Every variable that a service reads from its environment; nothing else is read. Times are in seconds, unless the
name says otherwise (`_ms`, `_days`). A *file* is the path of a file that holds the value: secrets are files, read
again when they change. *JSON* is written as such.
"""


class UndescribedSetting(Exception):
    """A setting has no docstring: nobody could know what it is for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One variable. `owner` is the class that declares it; `default` None: it is required, "": unset."""

    name: str
    owner: str
    kind: str
    default: str | None
    meaning: str


def settings_of(settings: type[BaseSettings]) -> list[dict[str, Any]]:
    """The settings of a service in the order of their classes, as JSON; UndescribedSetting when one says nothing."""
    found: list[Setting] = []
    for owner in (
        each for each in settings.__mro__ if issubclass(each, BaseSettings) and each is not BaseSettings
    ):
        known = {setting.name for setting in found}
        meanings = _meanings(owner)
        found += [
            _setting(name, field=settings.model_fields[name], owner=owner, meaning=meanings.get(name))
            for name in owner.__annotations__
            if name in settings.model_fields and name.upper() not in known
        ]
    return [asdict(setting) for setting in found]


def settings_page(services: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """The page: a table for each class that services share, then one for each service."""
    shared: dict[str, dict[str, Mapping[str, Any]]] = {}
    users: dict[str, list[str]] = {}
    for service, settings in services.items():
        for setting in settings:
            if setting["owner"] != OWN:
                shared.setdefault(setting["owner"], {})[setting["name"]] = setting
                users.setdefault(setting["owner"], []).append(service)
    sections = [HEADING]
    for owner, title in SHARED.items():
        if owner in shared:
            by = ", ".join(dict.fromkeys(users[owner]))
            sections.append(f"## {title}\n\nFor {by}.\n\n{_table(list(shared[owner].values()))}")
    for service, settings in services.items():
        own = [setting for setting in settings if setting["owner"] == OWN]
        sections.append(f"## {service}\n\n{_table(own) if own else 'Nothing of its own.'}")
    return "\n".join(section.rstrip("\n") + "\n" for section in sections)


def _table(settings: Sequence[Mapping[str, Any]]) -> str:
    rows = ["| Variable | Type | Default | Meaning |", "|---|---|---|---|"]
    for setting in settings:
        default = setting["default"]
        shown = "**required**" if default is None else f"`{default}`" if default else "–"
        cells = (f"`{setting['name']}`", setting["kind"], shown, setting["meaning"])
        rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(rows)


def _setting(name: str, *, field: FieldInfo, owner: type, meaning: str | None) -> Setting:
    if not meaning:
        raise UndescribedSetting(f"{owner.__module__}.{owner.__name__}.{name} has no docstring")
    bounds = "".join(f" {bound}" for bound in _bounds(field))
    return Setting(
        name=name.upper(),
        owner=owner.__name__,
        kind=f"{_kind(field.annotation)}{bounds}",
        default=_default(field),
        meaning=" ".join(meaning.split()),
    )


def _meanings(owner: type) -> dict[str, str]:
    """The docstrings under the fields of a class. Pydantic could collect them, at every start of every process."""
    body = ast.parse(textwrap.dedent(inspect.getsource(owner))).body[0]
    assert isinstance(body, ast.ClassDef)
    return {
        field.target.id: under.value.value
        for field, under in zip(body.body, body.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(under, ast.Expr)
        and isinstance(under.value, ast.Constant)
        and isinstance(under.value.value, str)
    }


def _kind(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        return " or ".join(_kind(each) for each in get_args(annotation) if each is not NoneType)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in get_args(annotation))
    return PLAIN.get(annotation, "JSON")


def _bounds(field: FieldInfo) -> Iterator[str]:
    for constraint in field.metadata:
        for kind, attribute, sign in BOUNDS:
            if isinstance(constraint, kind):
                yield f"{sign} {getattr(constraint, attribute)}"


def _default(field: FieldInfo) -> str | None:
    if field.is_required():
        return None
    value = to_jsonable_python(field.get_default(call_default_factory=True))
    if value is None or value == "":
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
