"""A payout with all that was tried and heard."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from payout.domain.contradiction import Contradiction
from payout.domain.payout import Payout
from payout.domain.returns import KnownReturn
from payout.domain.send import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One call to the bank, on record before it was made. `outcome` None: it never ended for us."""

    id: UUID
    id_envio: str
    started_at: datetime
    finished_at: datetime | None = None
    outcome: Outcome | None = None
    code: str | None = None

    @property
    def in_doubt(self) -> bool:
        """Whether it may have got through without our knowing."""
        return self.outcome in (None, Outcome.UNCLEAR)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Oldest first."""

    payout: Payout
    attempts: tuple[Attempt, ...] = ()
    returns: tuple[KnownReturn, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
