"""The two calls that Efí makes before it accepts a webhook URL (reference §1.7)."""

from datetime import datetime

from efi_simulator.domain.documents import horario
from efi_simulator.domain.refusals import WebhookProbeFailed
from efi_simulator.ports import Post, Undeliverable


async def probe_webhook(post: Post, *, url: str, now: datetime) -> None:
    """WebhookProbeFailed unless the URL refuses us without our certificate and takes a test body with it."""
    body = {"evento": "teste_webhook", "data_criacao": horario(now)}
    if await _accepts_strangers(post, url, body):
        raise WebhookProbeFailed("A URL informada aceitou uma requisição sem o certificado da Efí (mTLS).")
    try:
        status = await post(url, body, with_certificate=True)
    except Undeliverable as error:
        raise WebhookProbeFailed(f"A requisição na URL informada falhou com o erro: {error}") from error
    if not 200 <= status < 300:
        raise WebhookProbeFailed(f"A requisição na URL informada falhou com o código HTTP: {status}")


async def _accepts_strangers(post: Post, url: str, body: dict[str, str]) -> bool:
    try:
        return 200 <= await post(url, body, with_certificate=False) < 300
    except Undeliverable:
        return False
