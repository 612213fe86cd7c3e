"""What a webhook claims of a Pix, against what Efí answers when it is asked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from contracts.payment import ClaimKind, PaymentClaimRejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a notification said; None where it was silent."""

    txid: str | None
    amount: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A claim that Efí does not bear out. Told once a Pix, kind and `reference` (the refund that it is about)."""

    kind: ClaimKind
    e2e_id: str
    reference: str = ""
    txid: str | None = None
    ride_id: UUID | None = None
    claimed: Decimal | None = None
    confirmed: Decimal | None = None

    def fact(self, *, now: datetime) -> PaymentClaimRejected:
        return PaymentClaimRejected(
            kind=self.kind,
            e2e_id=self.e2e_id,
            txid=self.txid,
            ride_id=self.ride_id,
            claimed=self.claimed,
            confirmed=self.confirmed,
            found_at=now,
        )


def unfounded(
    claims: Iterable[Claim], *, e2e_id: str, txid: str | None, amount: Decimal, ours: bool
) -> list[Rejection]:
    """The kinds of lies in `claims`, each once; `txid`, `amount` and `ours` are Efí's own answer."""
    found: dict[ClaimKind, Rejection] = {}
    for claim in claims:
        for kind in _lies(claim, txid=txid, amount=amount, ours=ours):
            found.setdefault(
                kind,
                Rejection(kind=kind, e2e_id=e2e_id, txid=claim.txid, claimed=claim.amount, confirmed=amount),
            )
    return list(found.values())


def _lies(claim: Claim, *, txid: str | None, amount: Decimal, ours: bool) -> Iterable[ClaimKind]:
    if not ours:
        # Somebody else's Pix: what else is said of it does not matter.
        return (ClaimKind.OTHER_KEY,)
    lies = []
    if claim.txid is not None and claim.txid != txid:
        lies.append(ClaimKind.OTHER_TXID)
    if claim.amount is not None and claim.amount != amount:
        lies.append(ClaimKind.OTHER_AMOUNT)
    return lies
