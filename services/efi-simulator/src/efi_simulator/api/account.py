"""The balance, the statement and replays: routes that only Efí has (reference §1.6, §1.7)."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Response
from fastapi.responses import JSONResponse

from efi_simulator.api.answers import PROBLEMS, Relatorio, Responses, Saldo, answered
from efi_simulator.api.deps import DepsDep, allowed
from efi_simulator.api.requests import ExtratoSolicitado, ReenvioSolicitado
from efi_simulator.domain import documents, replaying, reporting
from efi_simulator.domain.documents import Json
from efi_simulator.domain.nouns import Report

router = APIRouter()
FILE: Final[Responses] = {
    **PROBLEMS,
    200: {"description": "The file", "content": {"text/csv": {"schema": {"type": "string"}}}},
    202: {"model": Relatorio, "description": "It is being made"},
}


@router.get(
    "/v2/gn/saldo",
    operation_id="get_balance",
    dependencies=[allowed("gn.balance.read")],
    responses=answered(200, Saldo),
)
async def get_balance(deps: DepsDep, bloqueios: bool = False) -> Json:
    rules = deps.bank.rules
    blocked = {
        "judicial": documents.valor(rules.blocked_by_court),
        "med": documents.valor(rules.blocked_by_med),
        "total": documents.valor(rules.blocked),
    }
    return {"saldo": documents.valor(deps.bank.balance)} | ({"bloqueios": blocked} if bloqueios else {})


@router.post(
    "/v2/gn/relatorios/extrato-conciliacao",
    operation_id="order_report",
    status_code=202,
    dependencies=[allowed("gn.reports.write")],
    responses=answered(202, Relatorio, by=PROBLEMS),
)
async def order_report(body: ExtratoSolicitado, deps: DepsDep) -> Json:
    report = reporting.order_report(
        deps.bank, day=body.dataMovimento, records=body.tipoRegistros.wanted, now=deps.clock.now()
    )
    return _in_the_making(report)


@router.get(
    "/v2/gn/relatorios/{id}",
    operation_id="get_report",
    dependencies=[allowed("gn.reports.read")],
    response_class=Response,
    responses=FILE,
)
async def get_report(id: Annotated[str, Path(max_length=64)], deps: DepsDep) -> Response:  # noqa: A002
    """The file; while it is being made, 202 and what was ordered."""
    report = reporting.report_of(deps.bank, report_id=id)
    if deps.clock.now() < report.ready_at:
        return JSONResponse(_in_the_making(report), 202)
    return Response(reporting.csv_of(deps.bank, report), media_type="text/csv")


@router.post(
    "/v2/gn/webhook/reenviar",
    operation_id="replay_webhooks",
    status_code=202,
    dependencies=[allowed("webhook.write")],
    responses=PROBLEMS,
    response_class=Response,
)
async def replay_webhooks(body: ReenvioSolicitado, deps: DepsDep) -> Response:
    replaying.replay(deps.bank, kind=body.kind, e2e_ids=body.e2eids, now=deps.clock.now())
    return Response(status_code=202)


def _in_the_making(report: Report) -> Json:
    return {
        "id": report.id,
        "dataMovimento": report.day.isoformat(),
        "status": "EM_PROCESSAMENTO",
    }
