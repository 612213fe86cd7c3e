"""What happened, counted from the databases."""

from decimal import Decimal
from typing import Any

from proof.checks import Case, bank_difference
from proof.evidence import query
from simulator.stack import Stack

RIDES_SQL = """
SELECT count(*) AS requested,
       count(*) FILTER (WHERE accepted_at IS NOT NULL) AS accepted,
       count(*) FILTER (WHERE completed_at IS NOT NULL) AS completed,
       count(*) FILTER (WHERE status = 'PAID') AS paid,
       count(*) FILTER (WHERE status = 'CANCELED') AS canceled,
       count(*) FILTER (WHERE status = 'NO_DRIVER_FOUND') AS no_driver
FROM rides
"""

WEBHOOKS_SQL = """
SELECT (SELECT count(*) FROM received_pix p
        WHERE NOT EXISTS (SELECT 1 FROM webhook_events w WHERE w.e2e_id = p.e2e_id)) AS dropped,
       (SELECT count(*) FROM received_pix WHERE source = 'janitor') AS recovered,
       (SELECT count(*) FROM webhook_events WHERE outcome = 'duplicate') AS duplicates_ignored
"""

RACE_SQL = """
SELECT count(DISTINCT driver_id) AS contenders,
       count(DISTINCT driver_id) FILTER (WHERE status = 'SUCCESS') AS winners
FROM ride_accept_attempts WHERE ride_id = $1::uuid
"""

PAYOUTS_SQL = """
SELECT count(*) FILTER (WHERE status IN ('COMPLETED', 'RETURNED')) AS completed,
       count(*) FILTER (WHERE status = 'FAILED' AND failure_reason <> 'insufficient_balance') AS failed,
       count(*) FILTER (WHERE status = 'FAILED' AND failure_reason = 'insufficient_balance')
       + (SELECT count(*) FROM idempotency WHERE operation = 'request_payout' AND status = 422) AS refused
FROM payouts
"""

REFUNDS_SQL = """
SELECT count(*) AS requested,
       count(*) FILTER (WHERE status = 'REFUNDED') AS refunded,
       count(*) FILTER (WHERE status = 'FAILED') AS failed,
       coalesce(sum(amount) FILTER (WHERE status = 'REFUNDED'), 0.00)::text AS amount
FROM refunds
"""


async def counted(case: Case) -> dict[str, Any]:
    """rides, webhooks, payouts, refunds and ledger of the demo's report."""
    [rides] = await query(case.stack, "ride-dispatch", RIDES_SQL)
    [webhooks] = await query(case.stack, "payment", WEBHOOKS_SQL)
    [payouts] = await query(case.stack, "payout", PAYOUTS_SQL)
    [refunds] = await query(case.stack, "payment", REFUNDS_SQL)
    race = await query(case.stack, "ride-dispatch", RACE_SQL, case.race) if case.race else []
    [journals] = await query(case.stack, "ledger", "SELECT count(*) AS journals FROM journals")
    [balance] = await query(case.stack, "ledger", "SELECT sum(difference) AS total FROM trial_balance")
    return {
        "rides": dict(rides),
        "webhooks": dict(webhooks),
        "payouts": dict(payouts),
        "refunds": dict(refunds),
        "race": {"contenders": race[0]["contenders"], "winners": race[0]["winners"]} if race else None,
        "ledger": {
            "journals": journals["journals"],
            "trial_balance": _money(balance["total"]),
            "bank_difference": _money(await bank_difference(case)),
        },
        "pending_messages": case.waiting.total,
        "money": await money(case.stack),
    }


async def money(stack: Stack) -> list[dict[str, str]]:
    """One line an account that moved, for the table at the end."""
    rows = await query(
        stack,
        "ledger",
        "SELECT code, name, balance FROM trial_balance WHERE debits <> 0 OR credits <> 0 ORDER BY code",
    )
    return [{"code": row["code"], "name": row["name"], "balance": _money(row["balance"])} for row in rows]


def _money(amount: Decimal | None) -> str:
    return f"{amount or Decimal(0):.2f}"
