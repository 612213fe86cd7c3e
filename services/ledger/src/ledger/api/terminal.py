"""The books from a terminal. Orders come as JSON on standard input."""

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime

from kernel.actor import Actor
from kernel.ids import new_id
from kernel.refusals import NotAllowed
from ledger.api.orders import JournalOrder, TerminalReversal
from ledger.domain.anchor import Anchor
from ledger.domain.chart import account
from ledger.domain.trial_balance import trial_difference
from ledger.ports import Tx
from ledger.usecases.get_account_balance import get_account_balance
from ledger.usecases.propose_manual_journal import propose_manual_journal
from ledger.usecases.reverse_transaction import reverse_transaction
from ledger.usecases.verify_seals import verify_seals
from ledger.usecases.verify_snapshots import verify_snapshots
from web import TokenVerifier, Unauthenticated

Open = Callable[[], AbstractAsyncContextManager[Tx]]


async def verify(transaction: Open, *, anchors: Sequence[Anchor] = ()) -> int:
    """Recompute the hash chain and compare it with what was told outside; 1 when something does not hold."""
    async with transaction() as tx:
        # Else what is posted meanwhile looks like journals that belong to no batch.
        await tx.at_one_moment()
        verdict = await verify_seals(tx, anchors=anchors)
    where = "" if verdict.broken_seq is None else f" at seal {verdict.broken_seq}"
    batch = "" if verdict.batch is None else f" (batch {verdict.batch})"
    if verdict.fault is not None:
        print(f"BROKEN{where}{batch}: {verdict.fault}; {verdict.seals} seals before it hold", file=sys.stderr)
        return 1
    print(
        f"{verdict.seals} seals over {verdict.journals} journals hold, {verdict.anchors} anchors agree; "
        f"head {verdict.head or '-'}"
    )
    return 0


async def show_trial_balance(transaction: Open, *, codes: tuple[str, ...]) -> int:
    """One line an account; 1 when debits and credits differ."""
    async with transaction() as tx:
        await tx.at_one_moment()
        balances = {code: await get_account_balance(tx, code=code) for code in codes}
    for code, balance in balances.items():
        print(f"{code}  {account(code).name:<28}{balance:>16}")
    difference = trial_difference(balances)
    print(f"{'difference':<34}{difference:>16}")
    return 1 if difference else 0


async def verify_days(transaction: Open) -> int:
    """Recompute every day's snapshot from the entries; 1 when one does not hold."""
    async with transaction() as tx:
        await tx.at_one_moment()
        verdict = await verify_snapshots(tx)
    if verdict.broken_day is not None:
        print(f"BROKEN on {verdict.broken_day}; {verdict.days} days before it hold", file=sys.stderr)
        return 1
    print(f"{verdict.days} days hold; last {verdict.last_day or '-'}")
    return 0


async def operator(verifier: TokenVerifier | None, *, token: str | None, login: str) -> Actor:
    """The admin whose access token it is: an order cannot say by itself who gives it, or one person is both eyes.

    `login` is the name of the machine's user, which the audit keeps beside. Unauthenticated without a token or
    without a way to verify it, InvalidToken, NotAllowed for anybody but an admin.
    """
    if token is None or verifier is None:
        raise Unauthenticated
    if verifier.revocations is not None:
        await verifier.revocations.start()
    try:
        principal = await verifier.verify(token)
    finally:
        await verifier.close()
        if verifier.revocations is not None:
            await verifier.revocations.stop()
    if principal.user_type != "admin":
        raise NotAllowed
    return Actor(user_id=principal.user_id, user_type="admin", user_agent=f"terminal of {login}")


async def propose_journal(transaction: Open, *, order: str, by: Actor, now: datetime) -> int:
    """Propose the ordered journal. It is posted when another admin approves it."""
    wanted = JournalOrder.model_validate_json(order)
    async with transaction() as tx:
        proposal = await propose_manual_journal(
            tx,
            proposal_id=new_id(),
            lines=wanted.drafted(),
            description=wanted.description,
            reason=wanted.reason,
            reference_number=wanted.reference_number,
            actor=by,
            now=now,
        )
    print(f"proposed {proposal.id}: another admin approves it (POST /admin/ledger/manual-journals/…/approve)")
    return 0


async def reverse_journal(transaction: Open, *, order: str, by: Actor, now: datetime) -> int:
    """Undo the ordered transaction."""
    wanted = TerminalReversal.model_validate_json(order)
    async with transaction() as tx:
        await reverse_transaction(
            tx,
            transaction_id=wanted.transaction_id,
            reason=wanted.reason,
            actor=by,
            now=now,
        )
    print(f"reversed {wanted.transaction_id}")
    return 0
