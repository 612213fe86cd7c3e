"""The control door: what people and other banks do, and what the bank knows. Development only."""

from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from efi_simulator.api.deps import DepsDep
from efi_simulator.api.requests import Cpf, Id35
from efi_simulator.domain import receiving, sending
from efi_simulator.domain.documents import horario, valor
from efi_simulator.domain.refusals import (
    BankRefusal,
    ChargeNotPayable,
    UnknownCharge,
    UnknownPix,
    UnknownSend,
)
from kernel.money import money

router = APIRouter(prefix="/_control")


def _exact(value: Any) -> Decimal:
    """A text or number of JSON; a number's shortest decimal form is what was written."""
    return money(str(value) if isinstance(value, float) else value)


Exact = BeforeValidator(_exact)
Amount = Annotated[Decimal, Exact, Field(gt=0, le=Decimal("9999999999.99"))]


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


class Part(Body):
    """`valor` in reais; None: all of it."""

    valor: Amount | None = None


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
    except BankRefusal as error:
        raise _as_http(error) from error
    except ChargeNotPayable as error:
        raise HTTPException(409, str(error)) from error
    return {"endToEndId": received.e2e_id}


@router.post("/pix", operation_id="receive_pix")
async def receive_pix(body: LoosePayment, deps: DepsDep) -> dict[str, str]:
    received = receiving.receive_pix(
        deps.bank, txid=body.txid, amount=body.amount, payer_cpf=body.payer_cpf, now=deps.clock.now()
    )
    return {"endToEndId": received.e2e_id}


@router.post("/received/{e2e_id}/refund", operation_id="refund_outside")
async def refund_outside(e2e_id: str, body: Part, deps: DepsDep) -> dict[str, str]:
    """A refund that somebody made in Efí's app, not through the API."""
    now = deps.clock.now()
    try:
        received = receiving.received_of(deps.bank, e2e_id=e2e_id)
        refund = receiving.request_refund(
            deps.bank,
            e2e_id=e2e_id,
            refund_id=deps.bank.numbers.return_id(now),
            amount=received.amount if body.valor is None else body.valor,
            now=now,
        )
    except BankRefusal as error:
        raise _as_http(error) from error
    return {"id": refund.id, "rtrId": refund.return_id}


@router.post("/sends/{id_envio}/return", operation_id="give_send_back")
async def give_send_back(id_envio: str, body: Part, deps: DepsDep) -> dict[str, str]:
    """The receiver gives back a part or the rest."""
    try:
        returned = sending.give_back(deps.bank, id_envio=id_envio, amount=body.valor, now=deps.clock.now())
    except BankRefusal as error:
        raise _as_http(error) from error
    return {"rtrId": returned.return_id, "valor": valor(returned.amount)}


@router.post("/tokens/revoke", operation_id="revoke_tokens", status_code=204)
async def revoke_tokens(deps: DepsDep) -> None:
    """Every token that was given out is refused from now on."""
    deps.tokens.revoke_all()


@router.get("/events", operation_id="watch_events")
async def watch_events(deps: DepsDep, after: int | None = None) -> StreamingResponse:
    """Every attempt to deliver a webhook, one line of JSON each, until the caller hangs up."""
    return StreamingResponse(deps.events.lines(after=after), media_type="application/x-ndjson")


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
        "returns": [{"endToEndId": one.e2e_id, "valor": valor(one.amount)} for one in bank.returns.values()],
        "fees": valor(bank.fees),
    }


def _as_http(refusal: BankRefusal) -> HTTPException:
    unknown = isinstance(refusal, UnknownCharge | UnknownPix | UnknownSend)
    return HTTPException(404 if unknown else 409, str(refusal))
