from identity.domain.account import AlreadyRegistered
from identity.domain.login import Login
from identity.ports import OpenTransaction, Passwords
from identity.usecases.create_first_admin import create_first_admin
from kernel.ids import new_id


async def ensure_first_admin(
    transaction: OpenTransaction, *, login: Login, password: str, passwords: Passwords
) -> bool:
    """Open the first administrator's account unless its login exists already; whether it was opened."""
    async with transaction() as tx:
        if await tx.accounts.credential(login) is not None:
            return False
    password_hash = await passwords.hash(password)
    try:
        async with transaction() as tx:
            await create_first_admin(
                tx, login=login, password_hash=password_hash, user_id=new_id(), now=tx.now()
            )
    except AlreadyRegistered:
        # Another process started at the same time.
        return False
    return True
