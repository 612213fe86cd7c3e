"""Write down what a case was."""

from datetime import datetime
from uuid import UUID

from contracts.audit import audited
from kernel.actor import Actor
from kernel.refusals import NotFound
from ledger.domain.cases import Case, Resolution
from ledger.ports import Tx


async def resolve_case(
    tx: Tx,
    *,
    case_id: UUID,
    resolution: Resolution,
    note: str,
    journal: str | None,
    actor: Actor,
    now: datetime,
) -> Case:
    """Once. `journal` (an id or transaction id) names the correction; nothing is posted here.

    NotFound for the case or the journal, CaseAlreadyResolved, CorrectionNotNamed.
    """
    assert actor.user_id is not None, "a person resolves"
    case = await tx.cases.get(case_id, lock=True)
    if case is None:
        raise NotFound(str(case_id))
    correction = await tx.journals.find(journal) if journal else None
    if journal and correction is None:
        raise NotFound(journal)
    journal_id = correction.id if correction else None
    resolved = case.resolve(resolution, note=note, journal_id=journal_id, by=actor.user_id, now=now)
    await tx.cases.resolve(resolved)
    await tx.publish(resolved.resolved_fact())
    await tx.publish(
        audited(
            "resolve_case",
            entity_type="reconciliation_case",
            entity_id=case_id,
            actor=actor,
            now=now,
            before={"status": case.status.value, "kind": case.kind.value},
            after={"status": resolved.status.value, "resolution": resolution.value},
            reason=note,
        )
    )
    return resolved
