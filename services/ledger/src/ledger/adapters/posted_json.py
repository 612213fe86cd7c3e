"""`ledger.posted` and `ledger.driver_balance_changed` as JSON: four of them are published for each ride."""

from datetime import datetime
from functools import lru_cache
from json.encoder import encode_basestring

from ledger.adapters.bulk import IdTexts
from ledger.domain.driver_balance import DriverBalance
from ledger.domain.journal import DEBIT, Journal, Line


def posted_json(journal: Journal, *, ids: IdTexts) -> tuple[str, bytes]:
    """The key of `journal.fact()`, and what it would be as JSON."""
    draft, id_ = journal.draft, ids[journal.id.int]
    driver_id = ids[draft.driver_id.int] if draft.driver_id else None
    driver = f'"{driver_id}"' if driver_id else "null"
    reference = "null" if draft.reference_number is None else encode_basestring(draft.reference_number)
    payload = (
        f'{{"journal_id":"{id_}","driver_id":{driver},'
        f'"transaction_id":{encode_basestring(draft.transaction_id)},"event_type":"{draft.event_type}",'
        f'"entity_type":"{draft.entity_type}","entity_id":{encode_basestring(draft.entity_id)},'
        f'"reference_number":{reference},"lines":[{",".join([_line(line, ids) for line in draft.lines])}],'
        f'"posted_at":"{_time(journal.posted_at)}"}}'
    )
    return driver_id or id_, payload.encode()


def _line(line: Line, ids: IdTexts) -> str:
    account_code, entry_type, amount, driver_id, passenger_id, _ = line
    driver = f'"{ids[driver_id.int]}"' if driver_id else "null"
    passenger = f'"{ids[passenger_id.int]}"' if passenger_id else "null"
    return (
        f'{{"account_code":"{account_code}","entry_type":"{"DEBIT" if entry_type is DEBIT else "CREDIT"}",'
        f'"amount":"{amount!s}","driver_id":{driver},"passenger_id":{passenger}}}'
    )


def balance_json(balance: DriverBalance, *, ids: IdTexts) -> tuple[str, bytes, int]:
    """The key of `balance.fact()`, what it would be as JSON, and the balance's version."""
    assert balance.as_of is not None, "nothing was ever posted for this driver"
    driver_id = ids[balance.driver_id.int]
    payload = (
        f'{{"driver_id":"{driver_id}","version":{balance.version},"available":"{balance.available!s}",'
        f'"on_hold":"{balance.on_hold!s}","total":"{balance.total!s}","receivable":"{balance.receivable!s}",'
        f'"as_of":"{_time(balance.as_of)}"}}'
    )
    return driver_id, payload.encode(), balance.version


# All of a batch is posted at one moment.
@lru_cache(maxsize=64)
def _time(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
