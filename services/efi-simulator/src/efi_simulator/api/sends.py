"""Pix that we send (reference §1.5)."""

from typing import Annotated

from fastapi import APIRouter, Query

from efi_simulator.api.answers import PROBLEMS, Enviado, EnviadosConsultados, EnvioAceito, answered
from efi_simulator.api.deps import DepsDep, allowed
from efi_simulator.api.requests import EndToEndId, EnvioSolicitado, Id35, Window
from efi_simulator.domain import documents, sending
from efi_simulator.domain.documents import Json
from efi_simulator.domain.pages import Span, page_of

router = APIRouter()


@router.put(
    "/v3/gn/pix/{id_envio}",
    operation_id="request_send",
    status_code=201,
    dependencies=[allowed("pix.send")],
    responses=answered(201, EnvioAceito),
)
@router.put(
    "/v2/gn/pix/{id_envio}",
    operation_id="request_send_v2",
    status_code=201,
    dependencies=[allowed("pix.send")],
    responses=answered(201, EnvioAceito),
)
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


@router.get(
    "/v2/gn/pix/enviados",
    operation_id="list_sends",
    dependencies=[allowed("gn.pix.send.read")],
    responses=answered(200, EnviadosConsultados),
)
async def list_sends(window: Annotated[Window, Query()], deps: DepsDep) -> Json:
    span = Span(start=window.inicio, end=window.fim, number=window.pagina, size=window.itens)
    page = page_of(
        deps.bank.sends.values(), span=span, at=lambda one: one.requested_at, wanted=lambda _: True
    )
    return {"parametros": page.parametros(), "pix": [documents.enviado(one) for one in page.items]}


@router.get(
    "/v2/gn/pix/enviados/id-envio/{id_envio}",
    operation_id="get_send",
    dependencies=[allowed("gn.pix.send.read")],
    responses=answered(200, Enviado, by=PROBLEMS),
)
async def get_send(id_envio: Id35, deps: DepsDep) -> Json:
    return documents.enviado(sending.send_by_id(deps.bank, id_envio=id_envio))


@router.get(
    "/v2/gn/pix/enviados/{e2e_id}",
    operation_id="get_send_by_e2e_id",
    dependencies=[allowed("gn.pix.send.read")],
    responses=answered(200, Enviado, by=PROBLEMS),
)
async def get_send_by_e2e_id(e2e_id: EndToEndId, deps: DepsDep) -> Json:
    return documents.enviado(sending.send_by_e2e_id(deps.bank, e2e_id=e2e_id))
