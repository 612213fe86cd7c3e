"""Facts that backoffice publishes."""

from typing import Final
from uuid import UUID

from contracts.base import Fact, Time
from contracts.topics import RISK


class RiskFlagged(Fact):
    fact = "risk.flagged"
    topic = RISK
    key_field = "user_id"
    user_id: UUID
    rule: str
    score: int
    flagged_at: Time


class RiskCleared(Fact):
    fact = "risk.cleared"
    topic = RISK
    key_field = "user_id"
    user_id: UUID
    rule: str
    cleared_at: Time


FACTS: Final[tuple[type[Fact], ...]] = (RiskFlagged, RiskCleared)
