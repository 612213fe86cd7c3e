"""Every failure leaves in one of Efí's error families (reference §1.8), never as a problem of ours."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from efi_simulator.api.deps import deps_of
from efi_simulator.domain.refusals import (
    AnswerLost,
    ApplicationError,
    BankRefusal,
    InvalidJson,
    Place,
    Problem,
)
from efi_simulator.ports import ABORT
from telemetry import get_logger

log = get_logger(__name__)
PARTS: Final = {"path": "path", "query": "query", "body": "body", "header": "headers"}


def answer(refusal: BankRefusal) -> JSONResponse:
    media_type = "application/problem+json" if isinstance(refusal, Problem) else "application/json"
    return JSONResponse(refusal.body(), refusal.answers, media_type=media_type)


def install(app: FastAPI) -> None:
    """Register the handlers."""
    app.add_exception_handler(BankRefusal, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _no_route)
    app.add_exception_handler(AnswerLost, _lost)
    app.add_exception_handler(Exception, _bug)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, BankRefusal)
    log.info("refused", nome=error.nome, status=error.answers)
    return answer(error)


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return answer(InvalidJson(places=places(error.errors())))


async def _no_route(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    body = {"nome": "rota_nao_encontrada", "mensagem": "A rota informada não existe."}
    return JSONResponse(body, error.status_code)


async def _lost(request: Request, _: Exception) -> Response:
    return await lose(request.scope, hang_s=deps_of(request).hang_s)


async def _bug(_: Request, error: Exception) -> Response:
    log.error("bug", exc_info=error)
    return answer(ApplicationError())


async def lose(scope: Any, *, hang_s: float) -> Response:
    """Keep the caller waiting, then cut the connection. Where there is none to cut, a gateway's timeout."""
    await asyncio.sleep(hang_s)
    if ABORT in scope:
        scope[ABORT]()
    return Response(status_code=504)


def places(errors: Sequence[Any]) -> list[Place]:
    """Pydantic's findings as Efí's `erros`: `.body.valor.original` and what is wrong there."""
    return [
        Place(
            chave=str(error["loc"][-1]),
            caminho="".join(f".{PARTS.get(str(part), part)}" for part in error["loc"]),
            mensagem=str(error["msg"]),
        )
        for error in errors
    ]
