"""`ledger.posted` as JSON, straight from the journal: three of them are published for each ride."""

from json.encoder import encode_basestring

from ledger.domain.journal import Journal, Line


def posted_json(journal: Journal) -> bytes:
    """What `journal.fact()` would be as JSON."""
    draft = journal.draft
    driver = f'"{draft.driver_id}"' if draft.driver_id else "null"
    reference = "null" if draft.reference_number is None else encode_basestring(draft.reference_number)
    posted_at = journal.posted_at.isoformat().replace("+00:00", "Z")
    return (
        f'{{"journal_id":"{journal.id}","driver_id":{driver},'
        f'"transaction_id":{encode_basestring(draft.transaction_id)},"event_type":"{draft.event_type}",'
        f'"entity_type":"{draft.entity_type}","entity_id":{encode_basestring(draft.entity_id)},'
        f'"reference_number":{reference},"lines":[{",".join([_line(line) for line in draft.lines])}],'
        f'"posted_at":"{posted_at}"}}'
    ).encode()


def _line(line: Line) -> str:
    driver = f'"{line.driver_id}"' if line.driver_id else "null"
    passenger = f'"{line.passenger_id}"' if line.passenger_id else "null"
    return (
        f'{{"account_code":"{line.account_code}","entry_type":"{line.entry_type.value}",'
        f'"amount":"{line.amount}","driver_id":{driver},"passenger_id":{passenger}}}'
    )
