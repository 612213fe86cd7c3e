"""Each check asks two witnesses that do not know of each other, and compares."""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from kernel.money import split
from proof.evidence import Waiting, query
from simulator.stack import Stack
from simulator.terminal import run_command


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What every check works with; `race` is the ride that several drivers were to accept at once."""

    stack: Stack
    bank: dict[str, Any]
    waiting: Waiting
    race: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    ok: bool
    detail: str


Check = Callable[[Case], Awaitable[Finding]]


async def every_journal_sums_to_zero(case: Case) -> Finding:
    rows = await query(
        case.stack,
        "ledger",
        "SELECT count(*) AS journals,"
        " count(*) FILTER (WHERE debits <> credits OR lines <> line_count OR debits = 0) AS wrong"
        " FROM journal_totals",
    )
    return Finding(rows[0]["wrong"] == 0 and rows[0]["journals"] > 0, f"{rows[0]['journals']} journals")


async def trial_balance_is_zero(case: Case) -> Finding:
    [row] = await query(case.stack, "ledger", "SELECT sum(difference) AS difference FROM trial_balance")
    differing = await query(case.stack, "ledger", "SELECT * FROM balance_differences")
    return Finding(
        row["difference"] == 0 and not differing,
        f"difference {row['difference']:.2f}, {len(differing)} balances that differ from their entries",
    )


async def every_paid_ride_has_one_payment_journal(case: Case) -> Finding:
    """Its one journal earned the fare and put it on the account; the fare is credited and debited on 4100."""
    rides = await query(
        case.stack, "ride-dispatch", "SELECT id, final_fare FROM rides WHERE status IN ('PAID', 'REFUNDED')"
    )
    events = await query(
        case.stack,
        "ledger",
        "SELECT e.ride_id, p.earned, p.banked FROM financial_events e"
        " LEFT JOIN journals j ON j.event_id = e.id AND j.transaction_id = 'payment_' || e.payment_intent_id"
        " LEFT JOIN LATERAL (SELECT"
        " sum(n.amount) FILTER (WHERE a.code = '4100' AND n.entry_type = 'CREDIT') AS earned,"
        " sum(n.amount) FILTER (WHERE a.code = '1100' AND n.entry_type = 'DEBIT') AS banked"
        " FROM ledger_entries n JOIN ledger_accounts a ON a.id = n.account_id WHERE n.journal_id = j.id) p ON true"
        " WHERE e.event_type = 'payment.confirmed'",
    )
    fares = {ride["id"]: ride["final_fare"] for ride in rides if ride["final_fare"] > 0}
    posted = Counter(event["ride_id"] for event in events)
    amounts_agree = all(fares.get(event["ride_id"]) == event["earned"] == event["banked"] for event in events)
    once = posted.keys() == fares.keys() and set(posted.values()) <= {1}
    return Finding(once and amounts_agree, f"{len(fares)} paid rides, {len(events)} payments posted")


async def every_balance_is_rides_less_payouts(case: Case) -> Finding:
    """What drivers are owed, from the rides, the refunds and the payouts alone."""
    owed: defaultdict[Any, Decimal] = defaultdict(Decimal)
    for ride in await query(
        case.stack,
        "ride-dispatch",
        "SELECT driver_id, sum(final_fare - commission) AS earned FROM rides"
        " WHERE status IN ('PAID', 'REFUNDED') GROUP BY driver_id",
    ):
        owed[ride["driver_id"]] += ride["earned"]
    for refunded in await query(
        case.stack,
        "payment",
        "SELECT driver_id, amount, commission, refunded FROM payment_intents WHERE refunded > 0",
    ):
        weights = (refunded["commission"], refunded["amount"] - refunded["commission"])
        owed[refunded["driver_id"]] -= split(refunded["refunded"], weights=weights)[1]
    for payout in await query(
        case.stack,
        "payout",
        "SELECT driver_id, sum(amount - returned) AS paid FROM payouts"
        " WHERE status IN ('COMPLETED', 'RETURNED') GROUP BY driver_id",
    ):
        owed[payout["driver_id"]] -= payout["paid"]
    booked = await _driver_balances(case.stack)
    wrong = [d for d in owed.keys() | booked.keys() if owed.get(d, Decimal(0)) != booked.get(d, Decimal(0))]
    total = sum(booked.values(), Decimal(0))
    return Finding(not wrong, f"{len(owed)} drivers, R$ {total:.2f} owed, {len(wrong)} differ")


async def _driver_balances(stack: Stack) -> dict[Any, Decimal]:
    rows = await query(
        stack,
        "ledger",
        "SELECT e.driver_id,"
        " sum(CASE WHEN (e.entry_type = 'CREDIT') THEN e.amount ELSE -e.amount END) AS balance"
        " FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id"
        " WHERE a.code IN ('2100', '2150', '1350') GROUP BY e.driver_id",
    )
    return {row["driver_id"]: row["balance"] for row in rows}


async def bank_agrees_with_banco_corrente(case: Case) -> Finding:
    difference = await bank_difference(case)
    return Finding(difference == 0, f"bank R$ {case.bank['balance']}, difference {difference:.2f}")


async def bank_difference(case: Case) -> Decimal:
    """What moved at the bank since it opened, less what BANCO_CORRENTE says."""
    [row] = await query(case.stack, "ledger", "SELECT balance FROM trial_balance WHERE code = '1100'")
    moved = Decimal(case.bank["balance"]) - Decimal(case.bank["opening_balance"])
    return moved - Decimal(row["balance"])


async def every_received_pix_is_known(case: Case) -> Finding:
    rows = await query(case.stack, "payment", "SELECT e2e_id, amount FROM received_pix")
    ours = {row["e2e_id"]: row["amount"] for row in rows}
    theirs = {pix["endToEndId"]: Decimal(pix["valor"]) for pix in case.bank["received"]}
    return Finding(ours == theirs, f"{len(theirs)} Pix received, {len(ours)} known")


async def every_refund_is_one_devolution(case: Case) -> Finding:
    """What the bank gave back, what payment says it asked for, and what the ledger posted."""
    rows = await query(case.stack, "payment", "SELECT id, amount FROM refunds WHERE status = 'REFUNDED'")
    [posted] = await query(
        case.stack,
        "ledger",
        "SELECT count(*) AS refunds, coalesce(sum(amount), 0) AS amount FROM financial_events"
        " WHERE event_type IN ('payment.refunded', 'payment.credit_refunded')",
    )
    ours = {row["id"].hex: row["amount"] for row in rows}
    done = [refund for refund in case.bank["refunds"] if refund["status"] == "DEVOLVIDO"]
    theirs = {refund["id"]: Decimal(refund["valor"]) for refund in done}
    total = sum(theirs.values(), Decimal(0))
    same = ours == theirs and (posted["refunds"], posted["amount"]) == (len(theirs), total)
    return Finding(same, f"{len(theirs)} refunds of R$ {total:.2f}, {posted['refunds']} posted")


async def held_money_is_what_paid_no_ride(case: Case) -> Finding:
    """Credits and suspense: all that the bank received, less what paid rides, less what went back of the rest."""
    [held] = await query(
        case.stack,
        "ledger",
        "SELECT sum(balance) AS balance FROM trial_balance WHERE code IN ('2200', '2900')",
    )
    [paid] = await query(
        case.stack,
        "payment",
        "SELECT coalesce(sum(amount), 0) AS amount, coalesce(sum(refunded), 0) AS refunded"
        " FROM payment_intents WHERE status IN ('CONFIRMED', 'REFUNDED')",
    )
    received = sum((Decimal(pix["valor"]) for pix in case.bank["received"]), Decimal(0))
    back = sum(
        (Decimal(one["valor"]) for one in case.bank["refunds"] if one["status"] == "DEVOLVIDO"), Decimal(0)
    )
    expected = received - paid["amount"] - (back - paid["refunded"])
    return Finding(held["balance"] == expected, f"R$ {held['balance']:.2f} held for their owners")


async def no_case_is_open(case: Case) -> Finding:
    """Reconciliation found nothing that nobody has explained."""
    rows = await query(
        case.stack, "ledger", "SELECT kind, detail FROM reconciliation_cases WHERE status = 'open'"
    )
    return Finding(
        not rows, "; ".join([f"{len(rows)} open", *(f"{row['kind']} {row['detail']}" for row in rows[:5])])
    )


async def the_chain_verifies(case: Case) -> Finding:
    """By the ledger's own command, as an auditor would run it."""
    ended = await run_command(case.stack, "ledger", "verify")
    return Finding(ended.code == 0, ended.output.splitlines()[-1] if ended.output else "said nothing")


async def every_send_is_one_payout(case: Case) -> Finding:
    rows = await query(
        case.stack, "payout", "SELECT id_envio, amount FROM payouts WHERE status IN ('COMPLETED', 'RETURNED')"
    )
    paid = [send for send in case.bank["sends"] if send["status"] == "REALIZADO"]
    ours = {row["id_envio"]: row["amount"] for row in rows}
    theirs = {send["idEnvio"]: Decimal(send["valor"]) for send in paid}
    return Finding(ours == theirs and len(theirs) == len(paid), f"{len(paid)} sends, {len(ours)} payouts")


async def no_payout_is_open(case: Case) -> Finding:
    rows = await query(
        case.stack, "payout", "SELECT id FROM payouts WHERE status NOT IN ('COMPLETED', 'FAILED', 'RETURNED')"
    )
    [held] = await query(case.stack, "ledger", "SELECT balance FROM trial_balance WHERE code = '2150'")
    return Finding(
        not rows and held["balance"] == 0, f"{len(rows)} open, R$ {held['balance']:.2f} in transit"
    )


async def every_ride_had_at_most_one_driver(case: Case) -> Finding:
    """A ride that was given up has a second winner after the first; none has two at once."""
    rows = await query(
        case.stack,
        "ride-dispatch",
        "SELECT r.id, count(DISTINCT a.driver_id) FILTER (WHERE a.status = 'SUCCESS') AS winners,"
        " (SELECT count(*) FROM ride_offers o WHERE o.ride_id = r.id AND o.excluded) AS gave_up"
        " FROM rides r LEFT JOIN ride_accept_attempts a ON a.ride_id = r.id GROUP BY r.id",
    )
    wrong = [row["id"] for row in rows if row["winners"] > 1 + row["gave_up"]]
    return Finding(not wrong and bool(rows), f"{len(rows)} rides")


async def both_apps_were_told(case: Case) -> Finding:
    """The log of each passenger and driver of a paid ride holds every step of it."""
    rides = await query(
        case.stack, "ride-dispatch", "SELECT id, passenger_id, driver_id FROM rides WHERE status = 'PAID'"
    )
    told = await query(
        case.stack, "notification", "SELECT user_id, type, data->>'ride_id' AS ride_id FROM messages"
    )
    heard = {(row["user_id"], row["type"], row["ride_id"]) for row in told}
    steps = {
        "passenger_id": ("ride.accepted", "ride.started", "ride.completed", "payment.confirmed", "ride.paid"),
        "driver_id": ("ride.offered", "ride.accepted", "ride.completed", "payment.confirmed", "ride.paid"),
    }
    missing = [
        (ride["id"], who, step)
        for ride in rides
        for who, expected in steps.items()
        for step in expected
        if (ride[who], step, str(ride["id"])) not in heard
    ]
    return Finding(not missing and bool(rides), f"{len(told)} messages, {len(missing)} missing")


async def every_approval_was_audited(case: Case) -> Finding:
    drivers = await query(case.stack, "identity", "SELECT id FROM drivers WHERE approval_status = 'approved'")
    records = await query(
        case.stack, "backoffice", "SELECT entity_id FROM audit_logs WHERE action = 'approve_driver'"
    )
    audited = {row["entity_id"] for row in records}
    missing = [row["id"] for row in drivers if str(row["id"]) not in audited]
    return Finding(not missing and bool(drivers), f"{len(drivers)} drivers, {len(records)} records")


async def no_message_is_left(case: Case) -> Finding:
    left = case.waiting
    return Finding(
        left.total == 0,
        f"outboxes {left.outbox}, before groups {left.lag}, quarantined {left.quarantined}, parked {left.parked}",
    )


CHECKS: Final[tuple[Check, ...]] = (
    every_journal_sums_to_zero,
    trial_balance_is_zero,
    every_paid_ride_has_one_payment_journal,
    every_balance_is_rides_less_payouts,
    bank_agrees_with_banco_corrente,
    every_received_pix_is_known,
    every_refund_is_one_devolution,
    held_money_is_what_paid_no_ride,
    no_case_is_open,
    the_chain_verifies,
    every_send_is_one_payout,
    no_payout_is_open,
    every_ride_had_at_most_one_driver,
    both_apps_were_told,
    every_approval_was_audited,
    no_message_is_left,
)
