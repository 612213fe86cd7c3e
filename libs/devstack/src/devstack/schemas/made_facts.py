"""Hypothesis strategies for facts, from their Python types and not from the schemas that they are to test."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from functools import partial
from types import UnionType
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin
from uuid import UUID

from hypothesis import reject
from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ValidationError

from kernel.money import ZERO, money

M = TypeVar("M", bound=BaseModel)
Strategy = st.SearchStrategy[Any]

TIMES: Final = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants naive bounds
AMOUNTS: Final = st.decimals(-(10**10), 10**10, places=2).map(lambda amount: amount + ZERO)
SCALARS: Final = st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text(max_size=20))

LEAVES: Final[dict[Any, Strategy]] = {
    UUID: st.uuids(),
    AwareDatetime: TIMES,
    Decimal: st.decimals(-1000, 1000, places=2),
    float: st.floats(allow_nan=False, allow_infinity=False),
    str: st.text(max_size=50),
    bool: st.booleans(),
    type(None): st.none(),
    Any: SCALARS,
}


def made(model: type[M]) -> st.SearchStrategy[M]:
    """Instances of `model` with every field drawn from its type, defaults left out at times."""
    fields = {
        name: _values(Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation)
        for name, field in model.model_fields.items()
    }
    required = {name: fields[name] for name, field in model.model_fields.items() if field.is_required()}
    optional = {name: values for name, values in fields.items() if name not in required}
    return st.fixed_dictionaries(required, optional=optional).map(partial(_read, model))


def _read(model: type[M], values: dict[str, Any]) -> M:
    try:
        return model.model_validate(values)
    except ValidationError:
        # The model has a rule that no type tells, so nobody can publish these values either.
        reject()


def _values(annotation: Any) -> Strategy:
    if annotation in LEAVES:
        return LEAVES[annotation]
    origin = get_origin(annotation)
    if origin in CONTAINERS:
        return CONTAINERS[origin](annotation)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return st.sampled_from(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return made(annotation)
    return st.from_type(annotation)


def _annotated(annotation: Any) -> Strategy:
    inner, *metadata = get_args(annotation)
    if any(isinstance(each, BeforeValidator) and each.func is money for each in metadata):
        return AMOUNTS
    return st.from_type(annotation) if inner is int else _values(inner)


def _union(annotation: Any) -> Strategy:
    return st.one_of([_values(branch) for branch in get_args(annotation)])


def _tuple(annotation: Any) -> Strategy:
    return st.lists(_values(get_args(annotation)[0]), max_size=3).map(tuple)


def _dict(annotation: Any) -> Strategy:
    return st.dictionaries(st.text(max_size=10), _values(get_args(annotation)[1]), max_size=3)


CONTAINERS: Final[dict[Any, Callable[[Any], Strategy]]] = {
    Annotated: _annotated,
    Union: _union,
    UnionType: _union,
    tuple: _tuple,
    dict: _dict,
}
