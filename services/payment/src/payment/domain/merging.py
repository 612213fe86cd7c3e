"""Efí's lists of Pix and its own report of a day as one statement: what both know counts once."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from contracts.payment import StatementLineKind
from payment.domain.statement import Movement

_Name = tuple[str, bool, str]
_IN_PARTS: Final = frozenset({StatementLineKind.REFUND_SENT, StatementLineKind.RETURN_RECEIVED})


def merged(listed: Iterable[Movement], reported: Iterable[Movement]) -> list[Movement]:
    """The amounts are the report's, which is what Efí booked; names and times are the lists', where they have it.

    So a movement keeps its `line_id` and its day whether or not the report was there when it was published.
    """
    open_ = _Open(listed)
    merged = []
    for movement in reported:
        known = open_.take(movement)
        merged.append(movement if known is None else _joined(movement, known=known))
    return merged + open_.rest()


class _Open:
    """Listed movements that no row of the report was found for yet, by each of their names."""

    def __init__(self, listed: Iterable[Movement]) -> None:
        self._rest = {movement.line_id: movement for movement in listed}
        self._named: dict[_Name, list[str]] = defaultdict(list)
        for line_id, movement in self._rest.items():
            for name in _names(movement):
                self._named[name].append(line_id)

    def take(self, movement: Movement) -> Movement | None:
        for name in _names(movement):
            for line_id in self._named.get(name, ()):
                known = self._rest.get(line_id)
                if known is not None and _same(movement, known):
                    return self._rest.pop(line_id)
        return None

    def rest(self) -> list[Movement]:
        return list(self._rest.values())


def _names(movement: Movement) -> list[_Name]:
    ids = (movement.return_id, movement.id_envio, movement.e2e_id)
    return [(movement.kind, movement.amount > 0, id_) for id_ in ids if id_ is not None]


def _same(one: Movement, other: Movement) -> bool:
    """A Pix comes or goes once, but comes back in parts: those are told apart by their return's id or amount."""
    if one.return_id is not None and other.return_id is not None:
        return one.return_id == other.return_id
    return one.kind not in _IN_PARTS or one.amount == other.amount


def _joined(movement: Movement, *, known: Movement) -> Movement:
    return replace(
        known,
        amount=movement.amount,
        e2e_id=known.e2e_id or movement.e2e_id,
        txid=known.txid or movement.txid,
        id_envio=known.id_envio or movement.id_envio,
        return_id=known.return_id or movement.return_id,
    )
