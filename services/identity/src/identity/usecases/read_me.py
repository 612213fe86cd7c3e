from uuid import UUID

from identity.domain.account import Account
from identity.ports import Tx


async def read_me(tx: Tx, *, user_id: UUID) -> Account:
    """A user's own account with its profile; NotFound."""
    return await tx.accounts.get(user_id)
