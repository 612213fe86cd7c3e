"""What the verbs need from outside: repositories of one transaction, passwords, tokens, limits."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from contracts.base import Fact
from identity.domain.account import Account
from identity.domain.login import Credential, Login
from identity.domain.session import RefreshToken, Revocation, Session
from identity.domain.signing_key import SigningKey


class Accounts(Protocol):
    """Users with their profiles and vehicles."""

    async def add(self, account: Account, *, password_hash: str) -> None:
        """AlreadyRegistered when anything unique of it exists."""

    async def get(self, user_id: UUID) -> Account:
        """NotFound."""

    async def lock(self, user_id: UUID) -> Account:
        """As get, and nobody else changes the account until the transaction ends."""

    async def save(self, account: Account) -> None:
        """Write a locked account's next version; AlreadyRegistered when its Pix key is another's."""

    async def credential(self, login: Login) -> Credential | None:
        """The newest committed one, read from the primary."""

    async def change_password_hash(self, user_id: UUID, *, password_hash: str) -> None: ...

    async def pending_drivers(self, *, limit: int, after: tuple[datetime, UUID] | None) -> Sequence[Account]:
        """Oldest application first; at most `limit`."""

    async def after(self, user_id: UUID | None, *, limit: int) -> Sequence[Account]:
        """Accounts in the order of their ids, those after `user_id`, locked."""


class Sessions(Protocol):
    """Sessions and their refresh tokens."""

    async def add(self, session: Session, *, token: RefreshToken, address: str | None) -> None: ...

    async def find_token(self, token_hash: bytes) -> RefreshToken | None: ...

    async def lock(self, session_id: UUID) -> Session | None:
        """The session, locked until the transaction ends."""

    async def token(self, session_id: UUID, *, generation: int) -> RefreshToken:
        """A token of a locked session; NotFound."""

    async def rotate(self, session: Session, *, used: RefreshToken, token: RefreshToken) -> None: ...

    async def revoke(self, session: Session) -> None:
        """Write a revoked session, and tell the fast copy once that is committed."""

    async def lock_live(self, user_id: UUID) -> Sequence[Session]:
        """The user's sessions that are not revoked, locked in the order of their ids."""

    async def known_address(self, user_id: UUID, *, address: str) -> bool:
        """Whether a session of this user was opened from `address`."""

    async def revoked_since(self, since: datetime) -> Sequence[Revocation]:
        """Oldest first."""

    async def purge(self, *, before: datetime, limit: int) -> int:
        """Delete up to `limit` sessions that expired before; how many."""


class SigningKeys(Protocol):
    async def lock(self) -> Sequence[SigningKey]:
        """Every key; nobody else rotates until the transaction ends."""

    async def all(self) -> Sequence[SigningKey]: ...

    async def add(self, key: SigningKey) -> None: ...

    async def remove(self, kid: str) -> None: ...


class Tx(Protocol):
    """One database transaction of identity."""

    @property
    def accounts(self) -> Accounts: ...

    @property
    def sessions(self) -> Sessions: ...

    @property
    def signing_keys(self) -> SigningKeys: ...

    def now(self) -> datetime: ...

    async def publish(self, fact: Fact, *, version: int = 0) -> UUID: ...


OpenTransaction = Callable[[], AbstractAsyncContextManager[Tx]]


class PasswordSlot(Protocol):
    """One of the few places where a password may be hashed; held while it is."""

    async def verify(self, password: str, *, password_hash: str | None) -> tuple[bool, str | None]:
        """(whether it matches, a newer hash to store or None). Without a hash: as much work, and False."""


class Passwords(Protocol):
    """Slow hashes, a bounded number at a time: each takes memory and most of a core."""

    async def hash(self, password: str) -> str:
        """Argon2id. Unavailable when no slot came free in time."""

    def slot(self) -> AbstractAsyncContextManager[PasswordSlot]:
        """Unavailable when none came free in time."""


class Attempts(Protocol):
    """Failed logins, counted in moving windows."""

    async def refuse_if_many(self, login: str, *, address: str | None, known: bool) -> None:
        """TooManyAttempts. `known`: the account has been logged into from this address before, so that
        strangers' failures do not lock its owner out."""

    async def failed(self, login: str, *, address: str | None) -> None: ...

    async def succeeded(self, login: str, *, address: str | None) -> None:
        """Forget this address's failures for this login."""


class RevocationCopy(Protocol):
    """The fast copy of revocations, in Valkey."""

    async def write(self, revocations: Sequence[Revocation]) -> None: ...


class KeyMaker(Protocol):
    async def make(self, now: datetime) -> SigningKey:
        """A new RSA key pair, active at once; takes a good part of a second of another thread."""


class AccessTokens(Protocol):
    """Signs access tokens, and publishes what verifies them."""

    def issue(self, session: Session) -> str: ...

    def jwks(self) -> dict[str, Any]: ...
