"""Recompute the hash chain from the entries."""

from dataclasses import dataclass

from ledger.domain.seal import Seal, broken
from ledger.ports import Tx

PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`broken_seq` is the first seal that does not hold, None when all do; `head` the newest hash (hex)."""

    seals: int
    journals: int
    head: str
    broken_seq: int | None = None


async def verify_seals(tx: Tx) -> Verdict:
    """Read everything sealed once, from the beginning, until a seal does not hold."""
    last: Seal | None = None
    seals = journals = 0
    while page := await tx.seals.after(last.seq if last else 0, limit=PAGE):
        for seal in page:
            covered = await tx.seals.journals_of(seal)
            if broken(seal, last=last, journals=covered):
                return Verdict(seals=seals, journals=journals, head=_head(last), broken_seq=seal.seq)
            last, seals, journals = seal, seals + 1, journals + len(covered)
    return Verdict(seals=seals, journals=journals, head=_head(last))


def _head(seal: Seal | None) -> str:
    return seal.hash.hex() if seal else ""
