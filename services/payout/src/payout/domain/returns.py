"""Which of the returns that the bank reports are news. It may tell some without an id, in any order."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, count, islice

from payout.domain.send import SendReturn


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownReturn:
    """A return that was noted, under the bank's id (rtrId) or, when it told none, under one that we made."""

    return_id: str
    amount: Decimal


def new_returns(
    known: Sequence[KnownReturn], reported: Sequence[SendReturn], *, id_envio: str
) -> tuple[KnownReturn, ...]:
    """What is not among the known ones yet, with the ids to note it under.

    The bank reports all that came back so far. Where everything of an amount has an id, ids decide. Else
    that amount is counted: a return may be told without its id first and with it later, or the other way.
    """
    amounts = dict.fromkeys(one.amount for one in reported)
    return tuple(one for amount in amounts for one in _news(known, reported, amount, id_envio=id_envio))


def _news(
    known: Sequence[KnownReturn], reported: Sequence[SendReturn], amount: Decimal, *, id_envio: str
) -> Iterable[KnownReturn]:
    noted = {one.return_id for one in known if one.amount == amount}
    told = [one.return_id for one in reported if one.amount == amount]
    names = dict.fromkeys(name for name in told if name is not None)
    told_count = len(names) + told.count(None)
    fresh = [name for name in names if name not in noted]
    ours = {return_id for return_id in noted if return_id.startswith(_prefix(id_envio))}
    if not ours and None not in told:
        ids: Iterable[str] = fresh
    else:
        ids = islice(_ids(fresh, amount, id_envio=id_envio, taken=ours), max(0, told_count - len(noted)))
    return (KnownReturn(return_id=return_id, amount=amount) for return_id in ids)


def _ids(fresh: Sequence[str], amount: Decimal, *, id_envio: str, taken: set[str]) -> Iterator[str]:
    """The bank's ids as long as there are any, then our own."""
    ours = (f"{_prefix(id_envio)}{amount}:{number}" for number in count())
    return chain(fresh, (return_id for return_id in ours if return_id not in taken))


def _prefix(id_envio: str) -> str:
    # No id of a bank has a colon.
    return f"{id_envio}:"
