"""Proposals, reversals, balances and snapshots from a terminal."""

import json
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from ledger_books import Books, confirmed, query
from ledger_office import admin, capital, consume, post_manual
from pydantic import ValidationError

from contracts.audit import AuditRecorded
from kernel.actor import Actor
from kernel.ids import new_id
from kernel.refusals import NotAllowed
from ledger.api.terminal import operator, propose_journal, reverse_journal, show_trial_balance, verify_days
from ledger.domain.journal import UnbalancedJournal
from ledger.domain.manual import FourEyes
from ledger.usecases.approve_manual_journal import approve_manual_journal
from ledger.usecases.take_day_snapshots import take_day_snapshots
from testkit.databases import DatabaseUrls
from testkit.fake_clock import FakeClock
from testkit.outbox import published
from testkit.tokens import Tokens
from web import InvalidToken, Unauthenticated

CAPITAL: dict[str, Any] = {
    "description": "Capital dos sócios",
    "reason": "contrato social",
    "lines": [
        {"account_code": "1100", "entry_type": "DEBIT", "amount": "1000.00"},
        {"account_code": "3100", "entry_type": "CREDIT", "amount": "1000.00"},
    ],
}


async def test_capital_is_proposed_approved_shown_and_reversed(
    books: Books, urls: DatabaseUrls, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        await propose_journal(books.transaction, order=json.dumps(CAPITAL), by=admin(), now=clock.now()) == 0
    )
    assert await show_trial_balance(books.transaction, codes=("1100", "3100")) == 0
    assert "1000.00" not in capsys.readouterr().out

    [proposed] = await query(urls, "SELECT id, transaction_id FROM manual_journals")
    async with books.transaction() as tx:
        await approve_manual_journal(tx, proposal_id=proposed["id"], actor=admin(), now=clock.now())
    assert await show_trial_balance(books.transaction, codes=("1100", "3100")) == 0
    shown = capsys.readouterr().out
    assert "BANCO_CORRENTE" in shown
    assert shown.count("1000.00") == 2

    order = {"transaction_id": proposed["transaction_id"], "reason": "typo"}
    assert await reverse_journal(books.transaction, order=json.dumps(order), by=admin(), now=clock.now()) == 0
    assert await show_trial_balance(books.transaction, codes=("1100",)) == 0
    assert "1000.00" not in capsys.readouterr().out
    assert await show_trial_balance(books.transaction, codes=("1100", "3100")) == 0


async def test_an_unequal_trial_balance_is_an_error(books: Books, clock: FakeClock) -> None:
    await post_manual(books, *capital(), now=clock.now())
    assert await show_trial_balance(books.transaction, codes=("1100",)) == 1


async def test_wrong_orders_propose_nothing(books: Books, clock: FakeClock, urls: DatabaseUrls) -> None:
    one_sided = {**CAPITAL, "lines": [CAPITAL["lines"][0]] * 2}
    with pytest.raises(UnbalancedJournal):
        await propose_journal(books.transaction, order=json.dumps(one_sided), by=admin(), now=clock.now())
    forged = {**CAPITAL, "proposed_by": str(new_id())}
    for wrong in ({**CAPITAL, "extra": 1}, {**CAPITAL, "description": ""}, forged):
        with pytest.raises(ValidationError):
            await propose_journal(books.transaction, order=json.dumps(wrong), by=admin(), now=clock.now())
    assert await query(urls, "SELECT * FROM manual_journals") == []


async def test_snapshots_are_recomputed_and_the_first_wrong_day_is_named(
    books: Books, clock: FakeClock, urls: DatabaseUrls, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(3):
        await consume(books, confirmed(at=clock.now()), now=clock.now())
        clock.advance(86_400)
    async with books.transaction() as tx:
        assert await take_day_snapshots(tx, now=clock.now(), limit=10) == 3
    assert await verify_days(books.transaction) == 0
    assert "3 days hold" in capsys.readouterr().out

    second = clock.now() - timedelta(days=2)
    connection = await asyncpg.connect(urls.admin_url)
    try:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("UPDATE day_balances SET debits = debits + 1 WHERE day = $1", second.date())
    finally:
        await connection.close()
    assert await verify_days(books.transaction) == 1
    assert f"BROKEN on {second.date()}; 1 days before it hold" in capsys.readouterr().err


async def test_the_person_at_the_terminal_is_not_also_the_second_pair_of_eyes(
    books: Books, urls: DatabaseUrls, clock: FakeClock, tokens: Tokens
) -> None:
    """Who proposes is who the token says, and that person's approval is refused."""
    user_id = new_id()
    by = await operator(tokens.verifier(), token=tokens.token(user_id, "admin"), login="root")
    await propose_journal(books.transaction, order=json.dumps(CAPITAL), by=by, now=clock.now())
    [proposed] = await query(urls, "SELECT id, proposed_by FROM manual_journals")
    assert proposed["proposed_by"] == user_id
    with pytest.raises(FourEyes):
        async with books.transaction() as tx:
            await approve_manual_journal(
                tx,
                proposal_id=proposed["id"],
                actor=Actor(user_id=user_id, user_type="admin"),
                now=clock.now(),
            )
    [told] = [fact for fact, _, _ in await published(urls, of=AuditRecorded)]
    assert isinstance(told, AuditRecorded)
    assert (told.user_id, told.user_agent) == (user_id, "terminal of root")


async def test_nobody_gives_orders_without_an_admins_token(tokens: Tokens) -> None:
    stranger = Tokens()
    for token, refusal in (
        (None, Unauthenticated),
        (stranger.token(new_id(), "admin"), InvalidToken),
        (tokens.token(new_id(), "passenger"), NotAllowed),
    ):
        with pytest.raises(refusal):
            await operator(tokens.verifier(), token=token, login="root")
    with pytest.raises(Unauthenticated):
        await operator(None, token=tokens.token(new_id(), "admin"), login="root")
