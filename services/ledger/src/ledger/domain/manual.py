"""A journal that a person orders, such as the owners' capital."""

from datetime import datetime
from typing import Final

from kernel.refusals import Refusal
from ledger.domain.instruction import Instruction, Outcome
from ledger.domain.journal import Draft, debit_total, validate_double_entry

MANUAL: Final = "journal.manual"


class AlreadyPosted(Refusal):
    """The transaction id is taken: a journal is posted once."""

    code = "already_posted"
    pt = "Este lançamento já existe."
    en = "This journal is already posted."


def manual_entry(draft: Draft, *, now: datetime) -> Instruction:
    """The instruction to post `draft` as it is; InvalidJournal when double entry does not allow it."""
    validate_double_entry(draft.lines)
    return Instruction(
        external_id=f"journal:{draft.transaction_id}",
        event_type=draft.event_type,
        entity_type=draft.entity_type,
        entity_id=draft.entity_id,
        amount=debit_total(draft.lines),
        occurred_at=now,
        rule=lambda _context: Outcome(drafts=(draft,)),
        other_drivers=draft.drivers,
        entries_max=len(draft.lines),
    )
