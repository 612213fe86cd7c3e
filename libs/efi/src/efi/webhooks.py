"""Where Efí reports what happens to our keys, and reporting it again (reference §1.7)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from efi.calls import Account, pages, query
from efi.errors import EfiRefused
from efi.models import ReplayKind, Webhook
from efi.requests import Request, segment
from efi.wire import WebhookListWire, WebhookWire

REPLAY_MAX: Final = 1000
PIX_BEGAN: Final = datetime(2020, 11, 1, tzinfo=UTC)


class Webhooks(Account):
    async def register_webhook(self, url: str, *, key: str | None = None, skip_mtls: bool = False) -> None:
        """Have Efí report on `key` (ours by default) to `url` (and `url` + "/pix").

        EfiRefused when its two probing calls do not go well; with `skip_mtls` it makes none.
        """
        request = Request(
            operation="register_webhook",
            method="PUT",
            path=_path(key or self._key),
            json={"webhookUrl": url},
            headers={"x-skip-mtls-checking": "true"} if skip_mtls else None,
            repeatable=True,
            # Efí calls the URL twice before it answers.
            read_timeout_s=self._send_timeout_s,
        )
        await self._transport.call(request)

    async def webhook(self, key: str) -> Webhook | None:
        """The registered webhook of `key`, if any."""
        try:
            answer = await query(self._transport, "get_webhook", _path(key), WebhookWire)
        except EfiRefused as refused:
            if _is_absent(refused):
                return None
            raise
        return answer.webhook()

    async def get_webhook(self) -> Webhook | None:
        """The registered webhook of our key, if any."""
        return await self.webhook(self._key)

    async def webhooks(self, start: datetime = PIX_BEGAN, end: datetime | None = None) -> tuple[Webhook, ...]:
        """All webhooks of the account that were registered from `start` to `end` (aware; None: ever)."""
        # A day ahead of our clock, so that one ahead of it at Efí hides nothing.
        until = end or datetime.now(UTC) + timedelta(days=1)
        found = pages(
            self._transport, "list_webhooks", "/v2/webhook", WebhookListWire, start=start, end=until
        )
        return tuple([one.webhook() async for page in found for one in page.webhooks])

    async def delete_webhook(self, key: str) -> bool:
        """Have Efí report on `key` no more; whether it did before."""
        request = Request(operation="delete_webhook", method="DELETE", path=_path(key), repeatable=False)
        try:
            await self._transport.call(request)
        except EfiRefused as refused:
            if _is_absent(refused):
                return False
            raise
        return True

    async def replay_webhooks(self, kind: ReplayKind, e2e_ids: Sequence[str]) -> None:
        """Have Efí report these again, once each, in its own time. At most 1,000 of the last 30 days."""
        if not 1 <= len(e2e_ids) <= REPLAY_MAX:
            raise ValueError(f"between 1 and {REPLAY_MAX} ids: {len(e2e_ids)}")
        body = {"tipo": kind, "e2eids": list(e2e_ids)}
        path = "/v2/gn/webhook/reenviar"
        request = Request(operation="replay_webhooks", method="POST", path=path, json=body, repeatable=False)
        await self._transport.call(request)


def _path(key: str) -> str:
    return f"/v2/webhook/{segment(key)}"


def _is_absent(refused: EfiRefused) -> bool:
    return refused.status == 404 or refused.name == "webhook_nao_encontrado"
