import secrets
from typing import Final
from uuid import UUID

from identity.domain.login import Credential, Login, WrongCredentials
from identity.domain.session import Grant, SessionPolicy
from identity.ports import Attempts, OpenTransaction, Passwords
from identity.usecases.open_session import open_session
from kernel.ids import new_id

TOKEN_BYTES: Final = 32
NOBODY: Final = UUID(int=0)


async def log_in(
    transaction: OpenTransaction,
    *,
    login: Login,
    password: str,
    address: str | None,
    passwords: Passwords,
    attempts: Attempts,
    policy: SessionPolicy,
) -> Grant:
    """Read the credential, check the password with no transaction open, open a session.

    WrongCredentials, whichever of the two is wrong and after the same work; TooManyAttempts; after a right
    password UserIsSuspended and UserIsBanned; Unavailable when too many passwords are being checked.
    """
    credential, known = await _credential(transaction, login=login, address=address)
    stored = credential.password_hash if credential else None
    async with passwords.slot() as slot:
        # Counted inside the slot: of many guesses sent at once, few are checked before the count stops them.
        await attempts.refuse_if_many(login.canonical, address=address, known=known)
        matches, newer_hash = await slot.verify(password, password_hash=stored)
        if not matches:
            await attempts.failed(login.canonical, address=address)
    if credential is None or not matches:
        raise WrongCredentials
    await attempts.succeeded(login.canonical, address=address)
    async with transaction() as tx:
        return await open_session(
            tx,
            user_id=credential.user_id,
            session_id=new_id(),
            random=secrets.token_bytes(TOKEN_BYTES),
            nonce=secrets.token_bytes(TOKEN_BYTES),
            address=address,
            newer_hash=newer_hash,
            policy=policy,
            now=tx.now(),
        )


async def _credential(
    transaction: OpenTransaction, *, login: Login, address: str | None
) -> tuple[Credential | None, bool]:
    async with transaction() as tx:
        credential = await tx.accounts.credential(login)
        # Asked for nobody, too: an unknown login takes as many round trips as a known one.
        user_id = credential.user_id if credential else NOBODY
        known = address is not None and await tx.sessions.known_address(user_id, address=address)
        return credential, known
