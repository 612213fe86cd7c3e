"""Where notices go (reference §1.7)."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from efi_simulator.api.answers import ERRORS
from efi_simulator.api.deps import DepsDep, allowed
from efi_simulator.api.requests import WebhookSolicitado, Window
from efi_simulator.domain import documents
from efi_simulator.domain.documents import Json
from efi_simulator.domain.nouns import Webhook
from efi_simulator.domain.pages import Span, page_of
from efi_simulator.domain.refusals import InvalidKey, UnknownWebhook
from efi_simulator.effects.probe_webhook import probe_webhook

router = APIRouter(responses=ERRORS)


@router.put(
    "/v2/webhook/{chave}",
    operation_id="register_webhook",
    status_code=201,
    dependencies=[allowed("webhook.write")],
)
async def register_webhook(
    chave: str,
    body: WebhookSolicitado,
    deps: DepsDep,
    x_skip_mtls_checking: Annotated[str, Header()] = "false",
) -> Json:
    if chave != deps.bank.our_key:
        raise InvalidKey
    if x_skip_mtls_checking.lower() != "true":
        await probe_webhook(deps.post, url=body.webhookUrl, now=deps.clock.now())
    registered = Webhook(key=chave, url=body.webhookUrl, created_at=deps.clock.now())
    deps.bank.webhooks[chave] = registered
    return documents.webhook(registered)


@router.get("/v2/webhook", operation_id="list_webhooks", dependencies=[allowed("webhook.read")])
async def list_webhooks(window: Annotated[Window, Query()], deps: DepsDep) -> Json:
    span = Span(start=window.inicio, end=window.fim, number=window.pagina, size=window.itens)
    page = page_of(
        deps.bank.webhooks.values(), span=span, at=lambda one: one.created_at, wanted=lambda _: True
    )
    return {"parametros": page.parametros(), "webhooks": [documents.webhook(one) for one in page.items]}


@router.get("/v2/webhook/{chave}", operation_id="get_webhook", dependencies=[allowed("webhook.read")])
async def get_webhook(chave: str, deps: DepsDep) -> Json:
    if chave not in deps.bank.webhooks:
        raise UnknownWebhook
    return documents.webhook(deps.bank.webhooks[chave])


@router.delete(
    "/v2/webhook/{chave}",
    operation_id="remove_webhook",
    status_code=204,
    dependencies=[allowed("webhook.write")],
)
async def remove_webhook(chave: str, deps: DepsDep) -> Response:
    if chave not in deps.bank.webhooks:
        raise UnknownWebhook
    del deps.bank.webhooks[chave]
    return Response(status_code=204)
