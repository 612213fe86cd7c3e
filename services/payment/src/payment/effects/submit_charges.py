"""Take new charges to Efí and store the codes that it answers."""

import asyncio
from datetime import datetime, timedelta

from payment.domain.charge import Charge
from payment.domain.provider import ProviderError, ProviderRefused
from payment.effects.draw_qr import draw_qr
from payment.metrics import CHARGES_WAITING, PROVIDER_FAILURES
from payment.ports import Deps
from payment.usecases.note_charge_code import note_charge_code


async def submit_charges(deps: Deps) -> int:
    """Read → `PUT /v2/cob/{txid}` → write, for each charge that is due. Answers how many were taken.

    The txid was stored before; a repeated call after an unclear answer finds the same charge at Efí.
    """
    now = deps.now()
    until = now + timedelta(seconds=deps.policy.lease_s)
    async with deps.transaction() as tx:
        charges = await tx.intents.claim_unsubmitted(now=now, until=until, limit=deps.policy.batch)
    CHARGES_WAITING.set(len(charges))
    turn = asyncio.Semaphore(deps.policy.parallel)
    await asyncio.gather(*(_submit(deps, charge, turn=turn) for charge in charges))
    return len(charges)


async def _submit(deps: Deps, charge: Charge, *, turn: asyncio.Semaphore) -> None:
    async with turn:
        try:
            code = await deps.provider.create_charge(charge, now=deps.now())
        except ProviderError as error:
            kind = "refused" if isinstance(error, ProviderRefused) else "unclear"
            PROVIDER_FAILURES.labels("create_charge", kind).inc()
            await _postpone(deps, charge, now=deps.now())
            return
    qr_code = await asyncio.to_thread(draw_qr, code)
    async with deps.transaction() as tx:
        await note_charge_code(tx, intent_id=charge.payment_intent_id, pix_copy_paste=code, qr_code=qr_code)


async def _postpone(deps: Deps, charge: Charge, *, now: datetime) -> None:
    async with deps.transaction() as tx:
        attempts = await tx.intents.attempts_of(charge.id)
        until = deps.policy.retry_at(now, attempts=attempts)
        await tx.intents.postpone(charge.id, until=until, failed=True)
