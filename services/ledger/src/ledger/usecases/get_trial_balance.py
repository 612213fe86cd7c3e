"""All accounts at the end of a day."""

from datetime import date

from ledger.domain.as_of import end_of
from ledger.domain.reports import TrialBalance, trial_balance
from ledger.ports import Tx


async def get_trial_balance(tx: Tx, *, day: date) -> TrialBalance:
    """By day of posting. Today's is what is posted so far."""
    return trial_balance(await tx.days.turnovers(end_of(day)), day=day)
