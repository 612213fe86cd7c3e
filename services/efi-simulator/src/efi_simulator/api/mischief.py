"""The control door: how the bank behaves from now on. Development only."""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, HTTPException, Request
from pydantic import Field

from efi_simulator.api.control import Body, Exact
from efi_simulator.api.deps import DepsDep
from efi_simulator.domain import sending
from efi_simulator.domain.documents import valor
from efi_simulator.domain.modes import ApiMode, Mode, RefundMode, SendMode, WebhookMode
from efi_simulator.domain.nouns import SendStatus
from efi_simulator.domain.refusals import UnknownSend
from efi_simulator.ports import Undeliverable

router = APIRouter(prefix="/_control")
M = TypeVar("M", WebhookMode, SendMode, RefundMode, ApiMode)
NotNegative = Annotated[Decimal, Exact, Field(ge=0, le=Decimal("9999999999.99"))]


class WebhookOrder(Body):
    mode: WebhookMode
    count: int = Field(default=1, ge=1)
    delay_ms: int | None = Field(default=None, ge=0)


class SendOrder(Body):
    mode: SendMode
    count: int = Field(default=1, ge=1)


class RefundOrder(Body):
    mode: RefundMode
    count: int = Field(default=1, ge=1)


class ApiOrder(Body):
    """`delay_ms`: how late a slow answer is, and what a throttled one's `Retry-After` says (none without it)."""

    mode: ApiMode
    count: int = Field(default=1, ge=1)
    delay_ms: int | None = Field(default=None, ge=0)


class RulesOrder(Body):
    homologation: bool | None = None
    inactive_status: Literal[400, 409] | None = None


class FeesOrder(Body):
    received: NotNegative | None = None
    sent: NotNegative | None = None


class BlocksOrder(Body):
    judicial: NotNegative | None = None
    med: NotNegative | None = None
    documents: list[str] | None = None


class ScopesOrder(Body):
    missing: list[str]


class StatementsOrder(Body):
    """`open_days`: whether a day that is not over has a statement too."""

    ready_after_ms: int | None = Field(default=None, ge=0)
    open_days: bool | None = None


class StatusOrder(Body):
    status: SendStatus


@router.post("/webhooks", operation_id="set_webhook_mode")
async def set_webhook_mode(body: WebhookOrder, deps: DepsDep) -> dict[str, object]:
    return _set(deps.webhook_mode, body.mode, body.count, body.delay_ms)


@router.post("/sends", operation_id="set_send_mode")
async def set_send_mode(body: SendOrder, deps: DepsDep) -> dict[str, object]:
    return _set(deps.bank.send_mode, body.mode, body.count, None)


@router.post("/refunds", operation_id="set_refund_mode")
async def set_refund_mode(body: RefundOrder, deps: DepsDep) -> dict[str, object]:
    return _set(deps.bank.refund_mode, body.mode, body.count, None)


@router.post("/api", operation_id="set_api_mode")
async def set_api_mode(body: ApiOrder, deps: DepsDep) -> dict[str, object]:
    return _set(deps.api_mode, body.mode, body.count, body.delay_ms)


@router.post("/rules", operation_id="set_rules")
async def set_rules(body: RulesOrder, deps: DepsDep) -> dict[str, object]:
    rules = deps.bank.rules
    if body.homologation is not None:
        rules.homologation = body.homologation
    if body.inactive_status is not None:
        rules.inactive_status = body.inactive_status
    return {"homologation": rules.homologation, "inactive_status": rules.inactive_status}


@router.post("/fees", operation_id="set_fees")
async def set_fees(body: FeesOrder, deps: DepsDep) -> dict[str, str]:
    """What the bank keeps of each Pix from now on."""
    rules = deps.bank.rules
    if body.received is not None:
        rules.receive_fee = body.received
    if body.sent is not None:
        rules.send_fee = body.sent
    return {"received": valor(rules.receive_fee), "sent": valor(rules.send_fee)}


@router.post("/blocks", operation_id="set_blocks")
async def set_blocks(body: BlocksOrder, deps: DepsDep) -> dict[str, object]:
    """What of the balance is kept back, and whose documents are refused."""
    rules = deps.bank.rules
    if body.judicial is not None:
        rules.blocked_by_court = body.judicial
    if body.med is not None:
        rules.blocked_by_med = body.med
    if body.documents is not None:
        rules.blocked_documents = frozenset(body.documents)
    return {
        "judicial": valor(rules.blocked_by_court),
        "med": valor(rules.blocked_by_med),
        "documents": len(rules.blocked_documents),
    }


@router.post("/scopes", operation_id="set_scopes")
async def set_scopes(body: ScopesOrder, deps: DepsDep) -> dict[str, list[str]]:
    """The scopes that every token lacks from now on."""
    deps.bank.rules.missing_scopes = frozenset(body.missing)
    return {"missing": sorted(body.missing)}


@router.post("/statements", operation_id="set_statements")
async def set_statements(body: StatementsOrder, deps: DepsDep) -> dict[str, object]:
    rules = deps.bank.rules
    if body.ready_after_ms is not None:
        rules.report_after = timedelta(milliseconds=body.ready_after_ms)
    if body.open_days is not None:
        rules.open_days = body.open_days
    ready_after_ms = round(rules.report_after.total_seconds() * 1000)
    return {"ready_after_ms": ready_after_ms, "open_days": rules.open_days}


@router.post("/sends/{id_envio}/status", operation_id="contradict_send")
async def contradict_send(id_envio: str, body: StatusOrder, deps: DepsDep) -> dict[str, str]:
    """Say something else of a send from now on, and tell the webhook. No money moves."""
    try:
        send = sending.contradict_send(deps.bank, id_envio=id_envio, status=body.status)
    except UnknownSend as error:
        raise HTTPException(404, str(error)) from error
    return {"idEnvio": send.id_envio, "status": send.shown}


@router.post("/webhooks/forge", operation_id="forge_webhook")
async def forge_webhook(request: Request, deps: DepsDep) -> dict[str, int]:
    """Post this request's body, whatever it is, to our key's webhook with Efí's certificate; what it answered."""
    webhook = deps.bank.webhooks.get(deps.bank.our_key)
    if webhook is None:
        raise HTTPException(409, "no webhook is registered")
    try:
        status = await deps.post(f"{webhook.url}/pix", await request.body(), with_certificate=True)
    except Undeliverable as error:
        raise HTTPException(502, str(error)) from error
    return {"status": status}


def _set(mode: Mode[M], to: M, count: int, delay_ms: int | None) -> dict[str, object]:
    mode.set(to, count=count, delay_ms=delay_ms)
    return {"mode": to, "count": count}
