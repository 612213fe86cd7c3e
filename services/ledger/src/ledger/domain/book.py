"""The open book of one transaction: turns instructions, in order, into journals and new balances."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

from contracts.base import Fact
from contracts.ledger import LedgerPayoutHeld, LedgerPayoutRefused, LedgerReversed
from kernel.business_day import business_day
from kernel.money import ZERO
from ledger.domain.driver_balance import DriverBalance
from ledger.domain.instruction import Context, HoldDecision, Instruction, Outcome
from ledger.domain.journal import Draft, Entry, Journal, validate_double_entry


class Posted(NamedTuple):
    """One instruction's result: its journals, and the facts to publish of them."""

    instruction: Instruction
    journals: tuple[Journal, ...]
    outcome: Outcome
    posted_at: datetime


class Book:
    """Applies instructions to the balances and the history that were read for them.

    `entry_ids` yields fresh entry ids, `new_id` fresh journal ids. Nothing here is shared between transactions.
    The caller holds the locks on the drivers' balances, or takes them at the end and calls `move_on`, if all
    instructions only record.
    """

    def __init__(
        self,
        *,
        balances: Mapping[UUID, DriverBalance],
        history: Iterable[Journal],
        entry_ids: Iterator[int],
        new_id: Callable[[], UUID],
    ) -> None:
        self.posted: list[Posted] = []
        self._seen = dict(balances)
        self._balances = dict(balances)
        self._history: defaultdict[tuple[str, str], list[Journal]] = defaultdict(list)
        self._entry_ids = entry_ids
        self._new_id = new_id
        self._changed: dict[UUID, datetime] = {}
        self._now: datetime | None = None
        self._day = date.min
        self._sums: defaultdict[tuple[str, UUID | None], Decimal] = defaultdict(lambda: ZERO)
        for journal in history:
            self._remember(journal)

    def apply(self, instruction: Instruction, *, now: datetime) -> None:
        """Decide and post one instruction; raises the rule's refusal, and then the book is spoilt."""
        balance = self._balances[instruction.driver_id] if instruction.driver_id else None
        outcome = instruction.rule(Context(balance, tuple(self._history[instruction.entity])))
        journals = tuple([self._post(draft, instruction, now=now) for draft in outcome.drafts])
        self.posted.append(Posted(instruction, journals, outcome, now))

    @property
    def journals(self) -> list[Journal]:
        """Everything posted, in order."""
        return [journal for posted in self.posted for journal in posted.journals]

    def move_on(self, locked: Mapping[UUID, DriverBalance]) -> None:
        """Carry on from the balances as they are under their locks; BalanceMoved when a rule saw another debt."""
        for driver_id, current in locked.items():
            moved = current.moved_on(seen=self._seen[driver_id], became=self._balances[driver_id])
            self._balances[driver_id] = moved

    @property
    def changed_drivers(self) -> list[UUID]:
        """The drivers whose balances these journals move, sorted."""
        return sorted(self._changed, key=attrgetter("int"))

    def changed_balances(self) -> list[DriverBalance]:
        """The new balances of the drivers that these journals touched, in order of driver."""
        return [self._new_balance(driver_id) for driver_id in self.changed_drivers]

    def changes_by_account(self) -> dict[tuple[str, UUID], Decimal]:
        """(account code, owner) → what its sub-balance changes by, on the account's normal side."""
        return {(code, owner): change for (code, owner), change in self._sums.items() if owner is not None}

    def movements(self) -> dict[str, Decimal]:
        """Code of an account without owners → what its balance changes by, on the account's normal side."""
        return {code: change for (code, owner), change in self._sums.items() if owner is None}

    def decisions_of(self, posted: Posted) -> list[Fact]:
        """What is published of one instruction beside its journals, in order."""
        facts: list[Fact] = [
            self._reversed_fact(journal, posted)
            for journal in posted.journals
            if journal.draft.reverses is not None
        ]
        if posted.outcome.decision is not None:
            facts.append(self._decision_fact(posted.outcome.decision, now=posted.posted_at))
        return facts

    def _post(self, draft: Draft, instruction: Instruction, *, now: datetime) -> Journal:
        lines = draft.lines
        validate_double_entry(lines)
        self._move(draft, now=now)
        for line in lines:
            self._sums[line.account_code, line.owner_id] += line.change
        entries = tuple([Entry(id_, line) for line, id_ in zip(lines, self._entry_ids, strict=False)])
        day = self._day_of(now)
        journal = Journal(self._new_id(), draft, entries, instruction.occurred_at, now, day)
        self._remember(journal)
        return journal

    def _day_of(self, now: datetime) -> date:
        """All of a batch is posted at one moment, and its day in São Paulo costs as much as a journal."""
        if now is not self._now:
            self._now, self._day = now, business_day(now)
        return self._day

    def _remember(self, journal: Journal) -> None:
        self._history[journal.draft.entity_type, journal.draft.entity_id].append(journal)

    def _move(self, draft: Draft, *, now: datetime) -> None:
        for driver_id in draft.drivers:
            self._balances[driver_id] = self._balances[driver_id].after(draft.lines)
            self._changed[driver_id] = now

    def _new_balance(self, driver_id: UUID) -> DriverBalance:
        balance = self._balances[driver_id]
        return DriverBalance(
            driver_id,
            balance.available,
            balance.on_hold,
            balance.receivable,
            balance.version + 1,
            self._changed[driver_id],
        )

    def _reversed_fact(self, journal: Journal, posted: Posted) -> LedgerReversed:
        history = self._history[posted.instruction.entity]
        original = next(j for j in history if j.id == journal.draft.reverses)
        return LedgerReversed(
            journal_id=journal.id,
            driver_id=journal.draft.driver_id,
            transaction_id=journal.draft.transaction_id,
            reversed_transaction_id=original.draft.transaction_id,
            reason=posted.outcome.reason or "",
            posted_at=journal.posted_at,
        )

    def _decision_fact(self, decision: HoldDecision, *, now: datetime) -> Fact:
        if decision.reason is None:
            return LedgerPayoutHeld(
                driver_id=decision.driver_id,
                payout_id=decision.payout_id,
                amount=decision.amount,
                balance_version=self._new_balance(decision.driver_id).version,
                held_at=now,
            )
        return LedgerPayoutRefused(
            driver_id=decision.driver_id,
            payout_id=decision.payout_id,
            amount=decision.amount,
            reason=decision.reason,
            available=decision.available,
            refused_at=now,
        )
