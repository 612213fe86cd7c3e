"""Pix that we send, and the balance (reference §1.5, §1.6)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from efi_simulator.api.deps import DepsDep, authorized
from efi_simulator.api.requests import EnvioSolicitado, Id35, Window
from efi_simulator.domain import documents, sending
from efi_simulator.domain.documents import Json
from efi_simulator.domain.pages import Span, page_of

router = APIRouter(dependencies=[Depends(authorized)])


@router.put("/v3/gn/pix/{id_envio}", operation_id="request_send", status_code=201)
@router.put("/v2/gn/pix/{id_envio}", operation_id="request_send_v2", status_code=201)
async def request_send(id_envio: Id35, body: EnvioSolicitado, deps: DepsDep) -> Json:
    send = sending.request_send(
        deps.bank,
        id_envio=id_envio,
        amount=body.amount,
        payer_key=body.pagador.chave,
        key=body.favorecido.chave,
        document=body.favorecido.document,
        message=body.pagador.infoPagador,
        now=deps.clock.now(),
    )
    return documents.accepted_send(send)


@router.get("/v2/gn/pix/enviados", operation_id="list_sends")
async def list_sends(window: Annotated[Window, Query()], deps: DepsDep) -> Json:
    span = Span(start=window.inicio, end=window.fim, number=window.pagina, size=window.itens)
    page = page_of(
        deps.bank.sends.values(), span=span, at=lambda one: one.requested_at, wanted=lambda _: True
    )
    return {"parametros": page.parametros(), "pix": [documents.enviado(one) for one in page.items]}


@router.get("/v2/gn/pix/enviados/id-envio/{id_envio}", operation_id="get_send")
async def get_send(id_envio: Id35, deps: DepsDep) -> Json:
    return documents.enviado(sending.send_by_id(deps.bank, id_envio=id_envio))


@router.get("/v2/gn/pix/enviados/{e2e_id}", operation_id="get_send_by_e2e_id")
async def get_send_by_e2e_id(e2e_id: str, deps: DepsDep) -> Json:
    return documents.enviado(sending.send_by_e2e_id(deps.bank, e2e_id=e2e_id))


@router.get("/v2/gn/saldo", operation_id="get_balance")
async def get_balance(deps: DepsDep, bloqueios: bool = False) -> Json:
    blocked = {"judicial": "0.00", "med": "0.00", "total": "0.00"}
    return {"saldo": documents.valor(deps.bank.balance)} | ({"bloqueios": blocked} if bloqueios else {})
