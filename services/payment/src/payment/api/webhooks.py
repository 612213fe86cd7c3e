"""Where Efí reports: the mTLS listener's routes. The raw body is stored, sealed, before the 2xx."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Final

from fastapi import APIRouter, Request, Response

import efi
import web
from kernel.ids import new_id
from kernel.refusals import NotAllowed, Refusal
from payment.api.deps import Deps, DepsDep
from payment.domain.redaction import TEXT_LIMIT, redacted, storable
from payment.domain.webhook import Delivery, EventType, TurnedAway, WebhookEvent, payload_hash
from payment.metrics import WEBHOOK_ITEMS_UNREADABLE, WEBHOOKS_REFUSED
from payment.usecases.store_webhook import store_webhook

router = APIRouter()

NAME_LIMIT: Final = 64

_TYPES: Final[Mapping[efi.WebhookKind, EventType]] = {
    efi.WebhookKind.RECEIVED: EventType.RECEIVED,
    efi.WebhookKind.REFUND: EventType.REFUND,
    efi.WebhookKind.SEND: EventType.SEND,
    efi.WebhookKind.UNKNOWN: EventType.UNKNOWN,
}


class MalformedWebhook(Refusal):
    """The body is not JSON, or not of Efí's shape."""

    code = TurnedAway.MALFORMED.value
    status = 400
    pt = "O corpo da notificação não é um JSON válido."
    en = "The notification's body is not valid JSON."


class WrongWebhookCaller(NotAllowed):
    """The client certificate is valid, but not the caller's whom we expect."""

    code = TurnedAway.WRONG_CALLER.value


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerCheck:
    """Which client certificate may call: its common name and its issuer's. None leaves one open.

    Efí's test and production certificates share a root, so the authority alone tells too little.
    """

    subject: str | None
    issuer: str | None

    def check(self, certificate: web.PeerCertificate | None) -> None:
        """Raises WrongWebhookCaller."""
        if self.subject is None and self.issuer is None:
            return
        if certificate is None:
            raise WrongWebhookCaller
        for wanted, names in ((self.subject, certificate.subject), (self.issuer, certificate.issuer)):
            if wanted is not None and names.get("commonName") != wanted:
                raise WrongWebhookCaller


@router.post("/webhooks/efi", operation_id="store_webhook", include_in_schema=False)
@router.post("/webhooks/efi/pix", operation_id="store_webhook_pix", include_in_schema=False)
async def post_webhook(request: Request, deps: DepsDep) -> Response:
    """Store what the body lists and answer 200; Efí's test calls list nothing."""
    caller: CallerCheck = request.app.state.caller_check
    try:
        caller.check(web.peer_certificate(request))
        body = await request.body()
        items = _items(body)
    except (MalformedWebhook, WrongWebhookCaller) as refusal:
        WEBHOOKS_REFUSED.labels(refusal.code).inc()
        raise
    if items:
        await _store(deps, body, items=items)
    return Response(status_code=200)


async def _store(deps: Deps, body: bytes, *, items: Sequence[efi.WebhookItem]) -> None:
    """Needs the database and nothing else; whatever fails here is a 5xx, and Efí comes again."""
    now = deps.now()
    delivery = Delivery(
        id=new_id(),
        sealed=deps.vault.seal(body),
        sha256=sha256(body).hexdigest(),
        redacted={"pix": [redacted(item.raw) for item in items]},
        received_at=now,
        shred_at=now + timedelta(seconds=deps.policy.raw_webhook_ttl_s),
    )
    events = [_event(item, delivery=delivery) for item in items]
    async with deps.transaction() as tx:
        await store_webhook(tx, delivery=delivery, events=events)
    WEBHOOK_ITEMS_UNREADABLE.inc(sum(event.event_type is EventType.UNKNOWN for event in events))


def _items(body: bytes) -> Sequence[efi.WebhookItem]:
    try:
        return efi.parse_webhook(body)
    except (ValueError, json.JSONDecodeError) as error:
        raise MalformedWebhook from error


def _event(item: efi.WebhookItem, *, delivery: Delivery) -> WebhookEvent:
    event_type = _type(item)
    return WebhookEvent(
        id=new_id(),
        event_type=event_type,
        payload=redacted(item.raw),
        payload_hash=payload_hash(item.raw),
        received_at=delivery.received_at,
        txid=_text(item.txid),
        e2e_id=_text(item.e2e_id),
        reference=_text(item.id_envio),
        status=_text(item.status),
        amount=item.amount,
        delivery_id=delivery.id,
    )


def _type(item: efi.WebhookItem) -> EventType:
    """Efí's classes, and one more: a Pix without a txid came in by our key alone, and is asked about like any."""
    event_type = _TYPES[item.kind]
    if event_type is EventType.SEND:
        return EventType.SEND if _names(item.id_envio) else EventType.UNKNOWN
    if not _names(item.e2e_id):
        return EventType.UNKNOWN
    if event_type is EventType.UNKNOWN and item.txid is None and item.amount is not None:
        return EventType.RECEIVED
    return event_type


def _names(value: str | None) -> bool:
    """Whether it can name something at Efí. Its documented samples are shorter than the rule says, so no rule."""
    return value is not None and len(value) <= NAME_LIMIT and value.isascii() and value.isalnum()


def _text(value: str | None) -> str | None:
    return None if value is None else storable(value)[:TEXT_LIMIT]
