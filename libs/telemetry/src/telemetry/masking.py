"""Masks personal data and secrets in any nested value. Nothing that a log, a span or a report says is exempt.

By name: a mapping's key says what its value is (`cpf`, `pix_key`, `access_token`, `pickup_lat`).
By shape: CPF, CNPJ, e-mail, phone, JWT, Authorization, copia e cola, `hmac=` values, socket paths and precise
coordinates are found inside texts. A random Pix key (EVP) is a UUIDv4 and looks like an identifier, so it is
masked where a name gives it away; our own identifiers are UUIDv7 and stay readable.
"""

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, SecretBytes, SecretStr

from telemetry.patterns import EXPRESSION, MASK, SUSPECT, replacement

Kind = Literal["plain", "hidden", "position", "key"]

_HIDDEN_ENDINGS: Final = frozenset(
    {
        "cpf",
        "cnpj",
        "document",
        "cnh",
        "cnh_number",
        "email",
        "phone",
        "telefone",
        "celular",
        "login",
        "plate",
    }
    | {"full_name", "nome", "favorecido", "bank_details", "pix_key", "chave", "copy_paste", "copia_ecola"}
    | {
        "copia_e_cola",
        "qr_code",
        "qrcode",
        "password",
        "passwd",
        "senha",
        "secret",
        "token",
        "tokens",
        "hmac",
    }
    | {"authorization", "cookie", "ticket", "private_key", "api_key", "credentials"}
)
_POSITION_ENDINGS: Final = frozenset({"lat", "lon", "lng", "latitude", "longitude"})
_KEY_NAMES: Final = frozenset({"key", "keys", "kafka_key", "record_key", "message_key"})
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MAX_DEPTH: Final = 12
_RANDOM_UUID_VERSION: Final = 4
_AS_THEY_ARE: Final = (bool, int, float, Decimal, UUID, datetime, date, time, timedelta, type(None))


@lru_cache(maxsize=4096)
def _kind(name: str) -> Kind:
    key = _CAMEL.sub("_", name).lower().replace("-", "_")
    if key in _KEY_NAMES:
        return "key"
    words = key.split("_")
    endings = {"_".join(words[start:]) for start in range(len(words))}
    if endings & _HIDDEN_ENDINGS:
        return "hidden"
    return "position" if endings & _POSITION_ENDINGS else "plain"


def mask_text(text: str) -> str:
    """`text` with everything that looks like personal data or a secret replaced."""
    if not SUSPECT.search(text):
        return text
    return EXPRESSION.sub(replacement, text)


def mask(value: Any) -> Any:
    """A copy of `value` without personal data: the same shape, made of plain values.

    Plain values are JSON's types, UUIDs, decimals and times. Mappings, sequences, sets, dataclasses and
    Pydantic models are followed up to 12 levels deep; bytes are read as UTF-8; any other object becomes its
    masked `repr`.
    """
    return _mask(value, depth=0)


def mask_named(name: str, value: Any) -> Any:
    """`value` masked as the value of a field called `name`."""
    return _mask_field(name, value, depth=0)


def _mask_field(name: Any, value: Any, *, depth: int) -> Any:
    kind = _kind(name) if isinstance(name, str) else "plain"
    if kind == "plain" or value is None or isinstance(value, bool):
        return _mask(value, depth=depth)
    if kind == "position":
        return _coarse(value, depth=depth)
    if kind == "key":
        return _mask_key(value, depth=depth)
    return MASK


def _mask_key(value: Any, *, depth: int) -> Any:
    if isinstance(value, str):
        try:
            value_as_uuid = UUID(value)
        except ValueError:
            return mask_text(value)
        return MASK if value_as_uuid.version == _RANDOM_UUID_VERSION else value
    if isinstance(value, UUID):
        return MASK if value.version == _RANDOM_UUID_VERSION else value
    return _mask(value, depth=depth)


def _coarse(value: Any, *, depth: int) -> Any:
    """Degrees to two decimals: about a kilometre."""
    if isinstance(value, str | int | float | Decimal):
        try:
            return round(float(value), 2)
        except (ValueError, OverflowError):
            return MASK
    return _mask(value, depth=depth)


def _is_record(value: Any) -> bool:
    return isinstance(value, BaseModel) or (is_dataclass(value) and not isinstance(value, type))


def _record_items(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, BaseModel):
        return [(name, getattr(value, name)) for name in type(value).model_fields]
    return [(field.name, getattr(value, field.name)) for field in fields(value)]


def _mask(value: Any, *, depth: int) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, _AS_THEY_ARE):
        return value
    if depth >= _MAX_DEPTH or isinstance(value, SecretStr | SecretBytes):
        return MASK
    if isinstance(value, Mapping) or _is_record(value):
        return {
            mask_text(key) if isinstance(key, str) else key: _mask_field(key, item, depth=depth + 1)
            for key, item in _record_items(value)
        }
    return _mask_other(value, depth=depth)


def _mask_other(value: Any, *, depth: int) -> Any:
    if isinstance(value, list | tuple | set | frozenset):
        return [_mask(item, depth=depth + 1) for item in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return mask_text(bytes(value).decode(errors="replace"))
    return mask_text(repr(value))
