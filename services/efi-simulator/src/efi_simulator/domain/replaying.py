"""Telling again what was told before, on request (reference §1.7)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from efi_simulator.domain import documents
from efi_simulator.domain.bank import Bank
from efi_simulator.domain.documents import Json
from efi_simulator.domain.nouns import NoticeKind, SendStatus, StatementKind
from efi_simulator.domain.refusals import InvalidReplay

REPLAYED_FOR: Final = timedelta(days=30)


def replay(bank: Bank, *, kind: StatementKind, e2e_ids: Sequence[str], now: datetime) -> None:
    """One more notice of each, attempted once. InvalidReplay, and none, when there is nothing to tell of one."""
    items = [ITEMS[kind](bank, e2e_id, now - REPLAYED_FOR) for e2e_id in e2e_ids]
    found = [item for item in items if item is not None]
    if len(found) < len(items):
        raise InvalidReplay
    for item in found:
        bank.tell(NOTICES[kind], item, once=True)


def _received(bank: Bank, e2e_id: str, since: datetime) -> Json | None:
    received = bank.received.get(e2e_id)
    if received is None or received.received_at < since:
        return None
    return documents.pix(replace(received, refunds=()))


def _refunds(bank: Bank, e2e_id: str, since: datetime) -> Json | None:
    received = bank.received.get(e2e_id)
    if received is None or not received.refunds or received.received_at < since:
        return None
    return documents.pix(received)


def _send(bank: Bank, e2e_id: str, since: datetime) -> Json | None:
    send = bank.send_of(e2e_id)
    if send is None or send.shown is SendStatus.PROCESSING or send.requested_at < since:
        return None
    return documents.send_notice(replace(send, returns=()), our_key=bank.our_key)


def _returns(bank: Bank, e2e_id: str, since: datetime) -> Json | None:
    send = bank.send_of(e2e_id)
    if send is None or not send.returns or send.requested_at < since:
        return None
    return documents.send_notice(send, our_key=bank.our_key)


ITEMS: Final[Mapping[StatementKind, Callable[[Bank, str, datetime], Json | None]]] = {
    StatementKind.PIX_RECEIVED: _received,
    StatementKind.REFUND_SENT: _refunds,
    StatementKind.PIX_SENT: _send,
    StatementKind.RETURN_RECEIVED: _returns,
}
NOTICES: Final[Mapping[StatementKind, NoticeKind]] = {
    StatementKind.PIX_RECEIVED: NoticeKind.RECEIVED,
    StatementKind.REFUND_SENT: NoticeKind.REFUND,
    StatementKind.PIX_SENT: NoticeKind.SEND,
    StatementKind.RETURN_RECEIVED: NoticeKind.RETURN,
}
