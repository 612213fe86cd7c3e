"""The books from a terminal. Orders come as JSON on standard input."""

import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime

from kernel.actor import SYSTEM
from ledger.api.orders import JournalOrder, ReversalOrder
from ledger.domain.chart import account
from ledger.domain.trial_balance import trial_difference
from ledger.ports import Tx
from ledger.usecases.create_journal_entry import create_journal_entry
from ledger.usecases.get_account_balance import get_account_balance
from ledger.usecases.reverse_transaction import reverse_transaction
from ledger.usecases.verify_seals import verify_seals

Open = Callable[[], AbstractAsyncContextManager[Tx]]


async def verify(transaction: Open) -> int:
    """Recompute the hash chain; 1 when it is broken."""
    async with transaction() as tx:
        verdict = await verify_seals(tx)
    if verdict.broken_seq is not None:
        print(f"BROKEN at seal {verdict.broken_seq}; {verdict.seals} seals before it hold", file=sys.stderr)
        return 1
    print(f"{verdict.seals} seals over {verdict.journals} journals hold; head {verdict.head or '-'}")
    return 0


async def show_trial_balance(transaction: Open, *, codes: tuple[str, ...]) -> int:
    """One line an account; 1 when debits and credits differ."""
    async with transaction() as tx:
        balances = {code: await get_account_balance(tx, code=code) for code in codes}
    for code, balance in balances.items():
        print(f"{code}  {account(code).name:<28}{balance:>16}")
    difference = trial_difference(balances)
    print(f"{'difference':<34}{difference:>16}")
    return 1 if difference else 0


async def post_journal(transaction: Open, *, order: str, now: datetime) -> int:
    """Post the ordered journal."""
    draft = JournalOrder.model_validate_json(order).draft()
    async with transaction() as tx:
        await create_journal_entry(tx, draft=draft, actor=SYSTEM, now=now)
    print(f"posted {draft.transaction_id}")
    return 0


async def reverse_journal(transaction: Open, *, order: str, now: datetime) -> int:
    """Undo the ordered transaction."""
    wanted = ReversalOrder.model_validate_json(order)
    async with transaction() as tx:
        await reverse_transaction(
            tx, transaction_id=wanted.transaction_id, reason=wanted.reason, actor=SYSTEM, now=now
        )
    print(f"reversed {wanted.transaction_id}")
    return 0
