"""Received Pix and their refunds (reference §1.4)."""

from typing import Annotated

from fastapi import APIRouter, Query

from efi_simulator.api.answers import ERRORS
from efi_simulator.api.deps import DepsDep, allowed
from efi_simulator.api.requests import DevolucaoSolicitada, Id35, PixWindow
from efi_simulator.domain import documents, receiving
from efi_simulator.domain.documents import Json
from efi_simulator.domain.nouns import ReceivedPix
from efi_simulator.domain.pages import Span, page_of

router = APIRouter(responses=ERRORS)


@router.get("/v2/pix", operation_id="list_received", dependencies=[allowed("pix.read")])
async def list_received(window: Annotated[PixWindow, Query()], deps: DepsDep) -> Json:
    span = Span(start=window.inicio, end=window.fim, number=window.pagina, size=window.itens)
    page = page_of(
        deps.bank.received.values(),
        span=span,
        at=lambda one: one.received_at,
        wanted=lambda one: _wanted(window, one),
    )
    return {"parametros": page.parametros(), "pix": [documents.pix(one) for one in page.items]}


def _wanted(window: PixWindow, received: ReceivedPix) -> bool:
    return (
        window.txid in (None, received.txid)
        and window.txIdPresente in (None, received.txid is not None)
        and window.devolucaoPresente in (None, bool(received.refunds))
        and window.cpf in (None, received.payer_cpf)
        and window.cnpj is None
    )


@router.get("/v2/pix/{e2e_id}", operation_id="get_received", dependencies=[allowed("pix.read")])
async def get_received(e2e_id: str, deps: DepsDep) -> Json:
    return documents.pix(receiving.received_of(deps.bank, e2e_id=e2e_id))


@router.put(
    "/v2/pix/{e2e_id}/devolucao/{id}",
    operation_id="request_refund",
    status_code=201,
    dependencies=[allowed("pix.write")],
)
async def request_refund(e2e_id: str, id: Id35, body: DevolucaoSolicitada, deps: DepsDep) -> Json:  # noqa: A002
    refund = receiving.request_refund(
        deps.bank, e2e_id=e2e_id, refund_id=id, amount=body.amount, now=deps.clock.now()
    )
    return documents.devolucao(refund)


@router.get("/v2/pix/{e2e_id}/devolucao/{id}", operation_id="get_refund", dependencies=[allowed("pix.read")])
async def get_refund(e2e_id: str, id: Id35, deps: DepsDep) -> Json:  # noqa: A002
    return documents.devolucao(receiving.refund_of(deps.bank, e2e_id=e2e_id, refund_id=id))
