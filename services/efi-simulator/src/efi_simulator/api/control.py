"""The control door: what happens outside the API, and how the bank misbehaves. Development only."""

from decimal import Decimal
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from efi_simulator.api.deps import DepsDep
from efi_simulator.api.requests import Cpf, Id35
from efi_simulator.domain import receiving
from efi_simulator.domain.documents import horario, valor
from efi_simulator.domain.modes import ApiMode, Mode, SendMode, WebhookMode
from efi_simulator.domain.refusals import BankRefusal, ChargeNotPayable, UnknownCharge
from kernel.money import money

router = APIRouter(prefix="/_control")
M = TypeVar("M", WebhookMode, SendMode, ApiMode)


def _exact(value: Any) -> Decimal:
    """A text or number of JSON; a number's shortest decimal form is what was written."""
    return money(str(value) if isinstance(value, float) else value)


Amount = Annotated[Decimal, BeforeValidator(_exact), Field(gt=0, le=Decimal("9999999999.99"))]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Payment(Body):
    """`force` pays a paid charge again; `late` pays one that is removed or whose time is over."""

    amount: Amount | None = None
    payer_cpf: Cpf | None = None
    force: bool = False
    late: bool = False


class LoosePayment(Body):
    """A Pix to our key outside any charge, such as one to a static code."""

    amount: Amount
    txid: Id35 | None = None
    payer_cpf: Cpf | None = None


class WebhookOrder(Body):
    mode: WebhookMode
    count: int = Field(default=1, ge=1)
    delay_ms: int | None = Field(default=None, ge=0)


class SendOrder(Body):
    mode: SendMode
    count: int = Field(default=1, ge=1)


class ApiOrder(Body):
    mode: ApiMode
    count: int = Field(default=1, ge=1)
    delay_ms: int | None = Field(default=None, ge=0)


class RulesOrder(Body):
    homologation: bool


@router.post("/charges/{txid}/pay", operation_id="pay_charge")
async def pay_charge(txid: str, deps: DepsDep, body: Payment | None = None) -> dict[str, str]:
    wanted = body or Payment()
    try:
        received = receiving.pay_charge(
            deps.bank,
            txid=txid,
            amount=wanted.amount,
            payer_cpf=wanted.payer_cpf,
            force=wanted.force,
            late=wanted.late,
            now=deps.clock.now(),
        )
    except UnknownCharge as error:
        raise HTTPException(404, str(error)) from error
    except (ChargeNotPayable, BankRefusal) as error:
        raise HTTPException(409, str(error)) from error
    return {"endToEndId": received.e2e_id}


@router.post("/pix", operation_id="receive_pix")
async def receive_pix(body: LoosePayment, deps: DepsDep) -> dict[str, str]:
    received = receiving.receive_pix(
        deps.bank, txid=body.txid, amount=body.amount, payer_cpf=body.payer_cpf, now=deps.clock.now()
    )
    return {"endToEndId": received.e2e_id}


@router.post("/webhooks", operation_id="set_webhook_mode")
async def set_webhook_mode(body: WebhookOrder, deps: DepsDep) -> dict[str, object]:
    return _set(deps.webhook_mode, body.mode, body.count, body.delay_ms)


@router.post("/sends", operation_id="set_send_mode")
async def set_send_mode(body: SendOrder, deps: DepsDep) -> dict[str, object]:
    return _set(deps.bank.send_mode, body.mode, body.count, None)


@router.post("/api", operation_id="set_api_mode")
async def set_api_mode(body: ApiOrder, deps: DepsDep) -> dict[str, object]:
    return _set(deps.api_mode, body.mode, body.count, body.delay_ms)


@router.post("/rules", operation_id="set_rules")
async def set_rules(body: RulesOrder, deps: DepsDep) -> dict[str, bool]:
    deps.bank.rules.homologation = body.homologation
    return {"homologation": body.homologation}


@router.post("/tokens/revoke", operation_id="revoke_tokens", status_code=204)
async def revoke_tokens(deps: DepsDep) -> None:
    """Every token that was given out is refused from now on."""
    deps.tokens.revoke_all()


@router.get("/state", operation_id="get_state")
async def get_state(deps: DepsDep) -> dict[str, object]:
    """What the bank knows."""
    bank = deps.bank
    return {
        "opening_balance": valor(bank.opening_balance),
        "balance": valor(bank.balance),
        "charges": [
            {"txid": one.txid, "valor": valor(one.amount), "status": one.status}
            for one in bank.charges.values()
        ],
        "received": [
            {
                "endToEndId": one.e2e_id,
                "txid": one.txid,
                "valor": valor(one.amount),
                "horario": horario(one.received_at),
            }
            for one in bank.received.values()
        ],
        "refunds": [
            {"id": one.id, "endToEndId": one.e2e_id, "valor": valor(one.amount), "status": one.status}
            for one in bank.refunds.values()
        ],
        "sends": [
            {
                "idEnvio": one.id_envio,
                "endToEndId": one.e2e_id,
                "valor": valor(one.amount),
                "chave": one.key,
                "status": one.status,
            }
            for one in bank.sends.values()
        ],
        "returns": [{"endToEndId": one.e2e_id, "valor": valor(one.amount)} for one in bank.returns],
        "fees": valor(bank.fees),
    }


def _set(mode: Mode[M], to: M, count: int, delay_ms: int | None) -> dict[str, object]:
    mode.set(to, count=count, delay_ms=delay_ms)
    return {"mode": to, "count": count}
