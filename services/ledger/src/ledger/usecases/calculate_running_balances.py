"""Fold posted entries into the platform accounts' running balances."""

from datetime import datetime

from ledger.ports import Tx


async def calculate_running_balances(tx: Tx, *, now: datetime) -> int:
    """How many accounts moved. Reads need no fold: they add what is not folded yet."""
    return await tx.balances.fold(now=now)
