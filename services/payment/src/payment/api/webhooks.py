"""Where Efí reports: the mTLS listener's routes. The raw event is stored before the 2xx."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fastapi import APIRouter, Request, Response

import efi
import web
from kernel.ids import new_id
from kernel.refusals import NotAllowed, Refusal
from payment.api.deps import DepsDep
from payment.domain.webhook import EventType, WebhookEvent, payload_hash, storable, without_payer
from payment.usecases.store_webhook import store_webhook

router = APIRouter()

_TYPES: Final[Mapping[efi.WebhookKind, EventType]] = {
    efi.WebhookKind.RECEIVED: EventType.RECEIVED,
    efi.WebhookKind.REFUND: EventType.REFUND,
    efi.WebhookKind.SEND: EventType.SEND,
    efi.WebhookKind.UNKNOWN: EventType.UNKNOWN,
}


class MalformedWebhook(Refusal):
    """The body is not JSON, or not of Efí's shape."""

    code = "malformed_json"
    status = 400
    pt = "O corpo da notificação não é um JSON válido."
    en = "The notification's body is not valid JSON."


class WrongWebhookCaller(NotAllowed):
    """The client certificate is valid, but not the caller's whom we expect."""

    code = "wrong_client_certificate"


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
    caller.check(web.peer_certificate(request))
    events = _events(await request.body(), now=deps.now())
    if events:
        async with deps.transaction() as tx:
            await store_webhook(tx, events=events)
    return Response(status_code=200)


def _events(body: bytes, *, now: datetime) -> Sequence[WebhookEvent]:
    try:
        items = efi.parse_webhook(body)
    except (ValueError, json.JSONDecodeError) as error:
        raise MalformedWebhook from error
    return [_event(item, now=now) for item in items]


def _event(item: efi.WebhookItem, *, now: datetime) -> WebhookEvent:
    event_type = _TYPES[item.kind]
    if event_type is EventType.RECEIVED and item.e2e_id is None:
        event_type = EventType.UNKNOWN
    if event_type is EventType.SEND and item.id_envio is None:
        event_type = EventType.UNKNOWN
    return WebhookEvent(
        id=new_id(),
        event_type=event_type,
        payload=without_payer(item.raw),
        payload_hash=payload_hash(item.raw),
        received_at=now,
        txid=_text(item.txid),
        e2e_id=_text(item.e2e_id),
        reference=_text(item.id_envio),
        status=_text(item.status),
    )


def _text(value: str | None) -> str | None:
    return None if value is None else storable(value)
