"""Reading Efí's webhook bodies. A webhook is a hint: its sender's name proves nothing about the money."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter, ValidationError

from contracts.base import Money, Time
from efi.models import WebhookItem, WebhookKind
from efi.wire import DevolucaoWire, GnExtrasWire
from kernel.money import ZERO

MONEY = TypeAdapter[Decimal](Money)
RETURNS = TypeAdapter[tuple[DevolucaoWire, ...]](tuple[DevolucaoWire, ...])
TIME = TypeAdapter[datetime](Time)


class MalformedWebhook(ValueError):
    """The body is not JSON, or its `pix` is not a list."""


def parse_webhook(body: bytes) -> list[WebhookItem]:
    """The entries of a webhook body, in order; none for a test body, which has no `pix`.

    Kinds by precedence (reference §1.7): `gnExtras.idEnvio` or `tipo` SOLICITACAO is the send family;
    else `devolucoes`, a refund; else `txid`, a received Pix; else unknown, to be kept and looked at.
    Raises MalformedWebhook.
    """
    try:
        document = json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise MalformedWebhook("not JSON") from error
    entries = document.get("pix", []) if isinstance(document, dict) else []
    if not isinstance(entries, list):
        raise MalformedWebhook("pix is not a list")
    return [_item(entry) for entry in entries]


def _refuse_constant(name: str) -> None:
    # Python reads NaN and Infinity, which are no JSON and which no database takes as such.
    raise ValueError(name)


def _item(entry: Any) -> WebhookItem:
    if not isinstance(entry, dict):
        return WebhookItem(kind=WebhookKind.UNKNOWN, raw={"entry": entry})
    try:
        return _known(entry)
    except ValidationError:
        # One entry that we cannot read must not hide its neighbours.
        e2e_id = _text(entry, "endToEndId") or _text(entry, "e2eId")
        return WebhookItem(kind=WebhookKind.UNKNOWN, e2e_id=e2e_id, txid=_text(entry, "txid"), raw=entry)


def _known(entry: Mapping[str, Any]) -> WebhookItem:
    extras = GnExtrasWire.model_validate(entry.get("gnExtras") or {})
    return WebhookItem(
        kind=_kind(entry, extras),
        e2e_id=_text(entry, "endToEndId") or _text(entry, "e2eId"),
        txid=_text(entry, "txid"),
        id_envio=extras.id_envio,
        key=_text(entry, "chave"),
        amount=MONEY.validate_python(entry["valor"]) if entry.get("valor") is not None else None,
        occurred_at=TIME.validate_python(entry["horario"]) if isinstance(entry.get("horario"), str) else None,
        status=_text(entry, "status"),
        error_code=extras.erro.codigo,
        fee=extras.tarifa or ZERO,
        refunds=tuple(one.refund() for one in RETURNS.validate_python(entry.get("devolucoes") or ())),
        raw=entry,
    )


def _kind(entry: Mapping[str, Any], extras: GnExtrasWire) -> WebhookKind:
    if extras.id_envio or entry.get("tipo") == "SOLICITACAO":
        return WebhookKind.SEND
    if entry.get("devolucoes"):
        return WebhookKind.REFUND
    return WebhookKind.RECEIVED if entry.get("txid") else WebhookKind.UNKNOWN


def _text(entry: Mapping[str, Any], name: str) -> str | None:
    value = entry.get(name)
    return value if isinstance(value, str) and value else None
