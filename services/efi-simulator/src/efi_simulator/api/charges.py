"""Immediate charges (reference §1.2)."""

from hashlib import sha256
from typing import Annotated

from fastapi import APIRouter, Query

from efi import brcode
from efi_simulator.api.answers import ERRORS
from efi_simulator.api.deps import DepsDep, allowed
from efi_simulator.api.requests import CobRevisada, CobSolicitada, CobWindow, Txid
from efi_simulator.domain import charging, documents
from efi_simulator.domain.documents import Json
from efi_simulator.domain.nouns import Charge
from efi_simulator.domain.pages import Span, page_of

router = APIRouter(responses=ERRORS)
HOST = "pix.simulador.invalid"


@router.put(
    "/v2/cob/{txid}", operation_id="create_charge", status_code=201, dependencies=[allowed("cob.write")]
)
async def create_charge(txid: Txid, body: CobSolicitada, deps: DepsDep) -> Json:
    now = deps.clock.now()
    location = f"{HOST}/v2/{sha256(f'{txid}{now}'.encode()).hexdigest()[:32]}"
    amount = body.valor.amount
    charge = charging.create_charge(
        deps.bank,
        txid=txid,
        amount=amount,
        terms=body.terms(amount=amount, key=body.chave, expires_s=None),
        expires_s=body.calendario.expiracao,
        location=location,
        copy_paste=brcode.build(url=location, merchant_name="EFISA", merchant_city="SAOPAULO", one_time=True),
        now=now,
    )
    return documents.cob(deps.bank, charge)


@router.get("/v2/cob/{txid}", operation_id="get_charge", dependencies=[allowed("cob.read")])
async def get_charge(txid: Txid, deps: DepsDep, revisao: int | None = None) -> Json:
    return documents.cob(deps.bank, charging.charge_of(deps.bank, txid=txid, revision=revisao))


@router.patch("/v2/cob/{txid}", operation_id="revise_charge", dependencies=[allowed("cob.write")])
async def revise_charge(txid: Txid, body: CobRevisada, deps: DepsDep) -> Json:
    if body.status:
        return documents.cob(deps.bank, charging.remove_charge(deps.bank, txid=txid))
    terms = body.terms(
        amount=body.valor.amount if body.valor else None,
        key=body.chave,
        expires_s=body.calendario.expiracao if body.calendario else None,
    )
    return documents.cob(deps.bank, charging.revise_charge(deps.bank, txid=txid, terms=terms))


@router.get("/v2/cob", operation_id="list_charges", dependencies=[allowed("cob.read")])
async def list_charges(window: Annotated[CobWindow, Query()], deps: DepsDep) -> Json:
    def wanted(charge: Charge) -> bool:
        debtor = charge.debtor or {}
        return (
            window.status in (None, charge.status)
            and window.cpf in (None, debtor.get("cpf"))
            and window.cnpj in (None, debtor.get("cnpj"))
        )

    span = Span(start=window.inicio, end=window.fim, number=window.pagina, size=window.itens)
    page = page_of(deps.bank.charges.values(), span=span, at=lambda one: one.created_at, wanted=wanted)
    return {
        "parametros": page.parametros(),
        "cobs": [documents.cob(deps.bank, charge) for charge in page.items],
    }
