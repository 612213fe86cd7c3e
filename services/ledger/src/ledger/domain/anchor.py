"""An anchor: what the chain's newest link was, as it was told outside the database."""

from collections.abc import Iterable
from dataclasses import dataclass

from contracts.ledger import LedgerSealed
from ledger.domain.seal import CHAIN, Seal

_MARK = "ibora-anchor-v1"


class NotAnAnchor(ValueError):
    """The text is no anchor's line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """`hash` in lower-case hex; `journals` and `entries` count everything sealed up to `seq`."""

    seq: int
    hash: str
    journals: int
    entries: int

    @classmethod
    def of(cls, seal: Seal) -> "Anchor":
        """The anchor of a seal."""
        return cls(seq=seal.seq, hash=seal.hash.hex(), journals=seal.journals, entries=seal.entries)

    @classmethod
    def told(cls, fact: LedgerSealed) -> "Anchor":
        """The anchor in a published fact."""
        return cls(seq=fact.seq, hash=fact.hash, journals=fact.journals, entries=fact.entries)

    def line(self) -> str:
        """The words that are signed."""
        return f"{_MARK}:{CHAIN}:{self.seq}:{self.hash}:{self.journals}:{self.entries}"


def parse_anchor(line: str) -> Anchor:
    """The anchor of a line; NotAnAnchor for any other text."""
    words = line.strip().split(":")
    if len(words) != 6 or words[:2] != [_MARK, CHAIN] or not all(map(str.isdecimal, (words[2], *words[4:]))):
        raise NotAnAnchor(line)
    return Anchor(seq=int(words[2]), hash=words[3], journals=int(words[4]), entries=int(words[5]))


def in_order(anchors: Iterable[Anchor]) -> list[Anchor]:
    """The anchors by the seal that they tell of."""
    return sorted(anchors, key=lambda anchor: anchor.seq)
