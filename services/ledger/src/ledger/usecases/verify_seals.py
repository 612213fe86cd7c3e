"""Recompute the hash chain from the entries.

Whoever reads everything in one transaction calls it once. Whoever must not hold one for so long gives
`most_pages`, and goes on from `last` while there is `more`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ledger.domain.anchor import Anchor, in_order
from ledger.domain.seal import Seal, broken
from ledger.ports import Tx

PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What holds: so many `seals` over so many `journals`, up to `head` (hex).

    `fault` says what does not, None when all does; `broken_seq` is the first seal that does not hold.
    `last` is the last seal that holds; `more`: nothing was wrong so far, and the end is not reached.
    """

    seals: int
    journals: int
    head: str
    anchors: int = 0
    broken_seq: int | None = None
    batch: int | None = None
    fault: str | None = None
    last: Seal | None = None
    more: bool = False


@dataclass(slots=True)
class _Walk:
    """How far the chain was found sound, and the anchors that lie ahead."""

    ahead: list[Anchor]
    last: Seal | None = None
    journals: int = 0
    agreed: int = 0

    @property
    def next_seq(self) -> int:
        return self.last.seq + 1 if self.last else 1

    def verdict(
        self,
        fault: str | None = None,
        *,
        seq: int | None = None,
        batch: int | None = None,
        more: bool = False,
    ) -> Verdict:
        return Verdict(
            seals=self.last.seq if self.last else 0,
            journals=self.journals,
            head=self.last.hash.hex() if self.last else "",
            anchors=self.agreed,
            broken_seq=seq,
            batch=batch,
            fault=fault,
            last=self.last,
            more=more,
        )


async def verify_seals(
    tx: Tx, *, anchors: Iterable[Anchor] = (), since: Seal | None = None, most_pages: int | None = None
) -> Verdict:
    """Read what was posted, from the beginning or after `since`, until something does not hold.

    `since` was found sound before: it must still be what it was then. `anchors` of earlier seals are passed over.
    """
    first = since.seq if since else 0
    walk = _Walk(
        ahead=[anchor for anchor in in_order(anchors) if anchor.seq > first],
        last=since,
        journals=since.journals if since else 0,
    )
    if since is not None and await tx.seals.after(since.seq - 1, limit=1) != [since]:
        return walk.verdict("is not what it was when it was verified", seq=since.seq, batch=since.batch)
    pages = 0
    while page := await tx.seals.after(walk.next_seq - 1, limit=PAGE):
        if pages == most_pages:
            return walk.verdict(more=True)
        pages += 1
        if (found := await _page(tx, page, walk)) is not None:
            return found
    return await _end(tx, walk)


async def _page(tx: Tx, page: Iterable[Seal], walk: _Walk) -> Verdict | None:
    """What is wrong with these seals, None when they follow."""
    for seal in page:
        if seal.seq != walk.next_seq:
            return walk.verdict(f"is missing before seal {seal.seq}", seq=walk.next_seq)
        if broken(seal, last=walk.last, journals=await tx.seals.journals_of(seal)):
            return walk.verdict("does not follow from what is posted", seq=seal.seq, batch=seal.batch)
        walk.last, walk.journals = seal, seal.journals
        if not _agrees(walk, seal):
            return walk.verdict("is not what was told outside", seq=seal.seq, batch=seal.batch)
    return None


def _agrees(walk: _Walk, seal: Seal) -> bool:
    """Whether the anchors of this seal, if there are any, say what it says."""
    while walk.ahead and walk.ahead[0].seq <= seal.seq:
        if walk.ahead.pop(0) != Anchor.of(seal):
            return False
        walk.agreed += 1
    return True


async def _end(tx: Tx, walk: _Walk) -> Verdict:
    """The chain holds as far as it goes; is it all there, and is everything in it?"""
    next_seq = walk.next_seq
    if walk.ahead:
        return walk.verdict(f"is missing: seal {walk.ahead[-1].seq} was told outside", seq=next_seq)
    head_seq = await tx.seals.head()
    if head_seq != next_seq - 1:
        return walk.verdict(f"is missing: the chain's head is at {head_seq}", seq=next_seq)
    journals, entries = await tx.seals.stray()
    if journals or entries:
        return walk.verdict(f"{journals} journals and {entries} entries belong to no batch")
    return walk.verdict()
