"""Statement lines against real bank entries."""

from ledger_books import Books, completed, confirmed, mismatch, query, ready, refunded, returned

from contracts.payment import MismatchKind, StatementLine, StatementLineKind
from kernel.ids import new_id
from kernel.money import money
from ledger.usecases.complete_payout import complete_payout
from ledger.usecases.hold_payout import hold_payout
from ledger.usecases.match_statement_line import match_statement_line
from ledger.usecases.refund_payment import refund_payment
from ledger.usecases.return_payout import return_payout
from ledger.usecases.settle_payment import settle_payment
from ledger.usecases.suspend_pix import suspend_pix
from testkit.databases import DatabaseUrls
from testkit.fake_clock import FakeClock

PAID = confirmed("50.00", commission="10.00", fee="0.50")
PAYOUT = ready("20.00", driver_id=PAID.driver_id)
DONE = completed(PAYOUT, fee="0.20")
STRAY = mismatch("7.00", kind=MismatchKind.SHORT, txid="t" * 26)


CASES = (
    (StatementLineKind.PIX_RECEIVED, "50.00", {"e2e_id": PAID.e2e_id}, True),
    (StatementLineKind.PIX_RECEIVED, "50.00", {"txid": PAID.txid}, True),
    (StatementLineKind.PIX_RECEIVED, "7.00", {"txid": "t" * 26}, True),
    (StatementLineKind.PIX_RECEIVED, "49.00", {"e2e_id": PAID.e2e_id}, False),
    (StatementLineKind.PIX_RECEIVED, "50.00", {"e2e_id": "E0"}, False),
    (StatementLineKind.PIX_RECEIVED, "50.00", {}, False),
    (StatementLineKind.PIX_SENT, "-20.00", {"e2e_id": DONE.e2e_id}, True),
    (StatementLineKind.PIX_SENT, "-20.00", {"id_envio": DONE.id_envio}, True),
    (StatementLineKind.PIX_SENT, "-20.00", {"id_envio": "not-ours"}, False),
    (StatementLineKind.PIX_SENT, "20.00", {"e2e_id": DONE.e2e_id}, False),
    (StatementLineKind.FEE, "-0.20", {"e2e_id": DONE.e2e_id}, True),
    (StatementLineKind.FEE, "-0.50", {"e2e_id": PAID.e2e_id}, True),
    (StatementLineKind.REFUND_SENT, "-10.00", {"e2e_id": PAID.e2e_id}, True),
    (StatementLineKind.RETURN_RECEIVED, "5.00", {"e2e_id": DONE.e2e_id}, True),
)


async def test_a_line_finds_its_bank_entries(books: Books, urls: DatabaseUrls, clock: FakeClock) -> None:
    now = clock.now()
    async with books.transaction() as tx:
        await settle_payment(tx, paid=PAID, now=now)
        await suspend_pix(tx, found=STRAY, now=now)
        await hold_payout(tx, ready=PAYOUT, now=now)
        await complete_payout(tx, done=DONE, now=now)
        await return_payout(tx, returned=returned(PAYOUT, "5.00"), now=now)
        await refund_payment(tx, refunded=refunded(PAID, "10.00"), now=now)

    for n, (kind, amount, reference, matches) in enumerate(CASES):
        line = StatementLine(
            day="2026-03-10",
            line_id=str(n),
            kind=kind,
            amount=money(amount),
            occurred_at=now,
            e2e_id=reference.get("e2e_id"),
            txid=reference.get("txid"),
            id_envio=reference.get("id_envio"),
        )
        async with books.transaction() as tx:
            found = await match_statement_line(tx, line=line, case_id=new_id(), now=now)
        assert found is matches, line

    cases = await query(urls, "SELECT * FROM reconciliation_cases")
    assert len(cases) == sum(not matches for _, _, _, matches in CASES)
