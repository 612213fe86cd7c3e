"""Reconciliation cases: what someone must look at, and what they found."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from contracts.ledger import LedgerCaseOpened, LedgerCaseResolved
from contracts.payment import PaymentClaimRejected, PaymentRefundFailed, StatementLine
from contracts.payout import PayoutContradicted
from kernel.money import ZERO
from kernel.refusals import FieldError, Invalid, Refusal


class CaseKind(StrEnum):
    """Why someone must look. See docs/runbooks/reconciliation-cases.md."""

    MISSING_IN_LEDGER = "missing_in_ledger"
    MISSING_AT_BANK = "missing_at_bank"
    AMOUNT_DIFFERS = "amount_differs"
    STATEMENT_INCOMPLETE = "statement_incomplete"
    TOTALS_DIFFER = "totals_differ"
    BALANCE_DIFFERS = "balance_differs"
    CLAIM_OTHER_KEY = "claim_other_key"
    CLAIM_OTHER_TXID = "claim_other_txid"
    CLAIM_OTHER_AMOUNT = "claim_other_amount"
    CLAIM_UNKNOWN_PIX = "claim_unknown_pix"
    CLAIM_REFUND_CONTRADICTED = "claim_refund_contradicted"
    PAYOUT_CONTRADICTED = "payout_contradicted"
    REFUND_FAILED = "refund_failed"


class CaseStatus(StrEnum):
    OPEN = "open"
    RESOLVED = "resolved"


class Resolution(StrEnum):
    """EXPLAINED: nothing was wrong. CORRECTED_BY_JOURNAL: that journal set it right. WRITTEN_OFF: let it be."""

    EXPLAINED = "explained"
    CORRECTED_BY_JOURNAL = "corrected_by_journal"
    WRITTEN_OFF = "written_off"


class CaseAlreadyResolved(Refusal):
    """A case is resolved once."""

    code = "case_already_resolved"
    pt = "Este caso já foi resolvido."
    en = "This case is already resolved."


class CorrectionNotNamed(Invalid):
    """A correction names a posted journal, and nothing else names one."""

    code = "correction_not_named"
    pt = "Informe o lançamento que corrigiu a diferença, e só nesse caso."
    en = "Name the journal that set it right, and only then."

    def __init__(self) -> None:
        super().__init__(errors=[FieldError(pointer="/journal", code=self.code, detail=self.en)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What does not match, in words that hold no personal data."""

    kind: CaseKind
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case. `external_id` makes it open once; `day`, the line and the journal are what it is about."""

    id: UUID
    difference: Difference
    reference: str
    external_id: str
    amount: Decimal
    opened_at: datetime
    day: date | None = None
    line_id: str | None = None
    journal_id: UUID | None = None
    status: CaseStatus = CaseStatus.OPEN
    resolution: Resolution | None = None
    note: str | None = None
    resolution_journal: UUID | None = None
    resolved_by: UUID | None = None
    resolved_at: datetime | None = None

    @property
    def kind(self) -> CaseKind:
        return self.difference.kind

    def resolve(
        self, resolution: Resolution, *, note: str, journal_id: UUID | None, by: UUID, now: datetime
    ) -> "Case":
        """CaseAlreadyResolved, or CorrectionNotNamed."""
        if self.status is CaseStatus.RESOLVED:
            raise CaseAlreadyResolved(str(self.id))
        if (resolution is Resolution.CORRECTED_BY_JOURNAL) is not (journal_id is not None):
            raise CorrectionNotNamed
        return replace(
            self,
            status=CaseStatus.RESOLVED,
            resolution=resolution,
            note=note,
            resolution_journal=journal_id,
            resolved_by=by,
            resolved_at=now,
        )

    def opened_fact(self) -> LedgerCaseOpened:
        """What the rest of the system hears when it is opened."""
        return LedgerCaseOpened(
            case_id=self.id,
            kind=self.kind.value,
            reference=self.reference,
            amount=self.amount,
            detail=self.difference.detail,
            opened_at=self.opened_at,
        )

    def resolved_fact(self) -> LedgerCaseResolved:
        """What the rest of the system hears when it is resolved."""
        assert self.resolved_by is not None, "nobody resolved it yet"
        assert self.resolved_at is not None, "nobody resolved it yet"
        return LedgerCaseResolved(
            case_id=self.id,
            kind=self.kind.value,
            reference=self.reference,
            resolved_by=self.resolved_by,
            resolved_at=self.resolved_at,
        )


def line_case(
    difference: Difference,
    line: StatementLine,
    *,
    reference: str,
    external_id: str,
    case_id: UUID,
    now: datetime,
    journal_id: UUID | None = None,
) -> Case:
    """Something is wrong with a line of the bank's statement."""
    return Case(
        id=case_id,
        difference=difference,
        reference=reference,
        external_id=external_id,
        amount=line.amount,
        opened_at=now,
        day=date.fromisoformat(line.day),
        line_id=line.line_id,
        journal_id=journal_id,
    )


def claim_case(claim: PaymentClaimRejected, *, case_id: UUID, now: datetime) -> Case:
    """A webhook said what Efí does not confirm."""
    known = "no such Pix" if claim.confirmed is None else str(claim.confirmed)
    claimed = "nothing" if claim.claimed is None else str(claim.claimed)
    return Case(
        id=case_id,
        difference=Difference(
            kind=CaseKind(f"claim_{claim.kind.value}"),
            detail=f"a webhook claims {claimed}; Efí knows {known}",
        ),
        reference=claim.e2e_id,
        external_id=f"claim:{claim.kind.value}:{claim.e2e_id}",
        amount=claim.claimed or ZERO,
        opened_at=now,
    )


def contradiction_case(found: PayoutContradicted, *, case_id: UUID, now: datetime) -> Case:
    """Efí said of a payout what cannot be."""
    return Case(
        id=case_id,
        difference=Difference(
            kind=CaseKind.PAYOUT_CONTRADICTED,
            detail=f"the payout is {found.known} here, {found.reported} at Efí: {found.detail}",
        ),
        reference=str(found.payout_id),
        external_id=f"payout_contradicted:{found.payout_id}:{found.reported}",
        amount=found.amount,
        opened_at=now,
    )


def failed_refund_case(failed: PaymentRefundFailed, *, case_id: UUID, now: datetime) -> Case:
    """A refund was ordered and did not happen: the passenger still waits for it."""
    return Case(
        id=case_id,
        difference=Difference(kind=CaseKind.REFUND_FAILED, detail=failed.reason),
        reference=str(failed.payment_id),
        external_id=f"refund_failed:{failed.refund_id}",
        amount=failed.amount,
        opened_at=now,
    )
