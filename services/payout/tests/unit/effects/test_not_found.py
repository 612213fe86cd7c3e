"""A 404 decides whether a send in doubt is made again: only Efí's own word that it does not know it counts."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import httpx
import pytest
from efi_fakes import ScriptedEfi, client_of, enviado, json_answer
from payout_fakes import FakeDeps, payout_at

from payout.adapters.bank import EfiBank
from payout.domain.payout import Payout
from payout.domain.step import Step
from payout.effects.process_payout import process_payout

OWN_WORDS: Final = {"type": "https://pix.bcb.gov.br/api/v2/error/PixEnviadoNaoEncontrado", "title": "x"}
GATEWAYS: Final = [
    {"error": "Not Found"},
    {"error": "not_found", "error_description": "no route matched"},
    {"type": "about:blank", "title": "Not Found", "status": 404},
]


@pytest.fixture
async def efi(tmp_path: Path, deps: FakeDeps) -> AsyncIterator[ScriptedEfi]:
    """What Efí and whoever stands in front of it answer to our own client."""
    scripted = ScriptedEfi()
    async with client_of(scripted, tmp_path, efi_attempts=1) as client:
        deps.bank = EfiBank(client, limit_s=deps.policy.call_s)  # type: ignore[assignment]
        yield scripted


@pytest.fixture
def deps() -> FakeDeps:
    return FakeDeps()


async def lost(deps: FakeDeps, efi: ScriptedEfi) -> Payout:
    """A payout whose send was cut off, long enough ago that it may be made again."""
    payout = payout_at(Step.HELD, at=deps.now())
    async with deps.transaction() as tx:
        await tx.payouts.add(payout, due_at=deps.now())
    efi.script = [httpx.ReadTimeout("")]
    await process_payout(deps)
    assert deps.rows.payouts[payout.id].step is Step.UNKNOWN
    deps.clock.advance(deps.policy.resend_after_s + 1)
    efi.requests.clear()
    return payout


def methods(efi: ScriptedEfi) -> list[str]:
    return [request.method for request in efi.requests]


@pytest.mark.parametrize("body", GATEWAYS, ids=str)
async def test_a_gateways_404_leaves_a_send_in_doubt_and_sends_nothing(
    deps: FakeDeps, efi: ScriptedEfi, body: dict[str, object]
) -> None:
    payout = await lost(deps, efi)
    efi.script = [json_answer(body, 404)]
    await process_payout(deps)
    assert methods(efi) == ["GET"]
    assert deps.rows.payouts[payout.id].step is Step.UNKNOWN


async def test_efis_404_long_after_the_doubt_lets_it_be_sent_again_under_its_id(
    deps: FakeDeps, efi: ScriptedEfi
) -> None:
    payout = await lost(deps, efi)
    again = enviado(idEnvio=payout.id.hex, valor=f"{payout.amount:.2f}", status="EM_PROCESSAMENTO")
    efi.script = [json_answer(OWN_WORDS, 404), json_answer(again, 201)]
    await process_payout(deps)
    assert methods(efi) == ["GET", "PUT"]
    assert efi.requests[1].url.path == f"/v3/gn/pix/{payout.id.hex}"
    assert deps.rows.payouts[payout.id].step is Step.SENT


@pytest.mark.parametrize("body", GATEWAYS, ids=str)
async def test_a_gateways_404_to_the_send_itself_fails_nobodys_payout(
    deps: FakeDeps, efi: ScriptedEfi, body: dict[str, object]
) -> None:
    payout = payout_at(Step.HELD, at=deps.now())
    async with deps.transaction() as tx:
        await tx.payouts.add(payout, due_at=deps.now())
    efi.script = [json_answer(body, 404)]
    await process_payout(deps)
    assert deps.rows.payouts[payout.id].step is Step.UNKNOWN
