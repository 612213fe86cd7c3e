"""Fakes and builders for identity's unit tests, written against its ports."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from contracts.base import Fact
from contracts.identity import ApprovalStatus, UserType, VehicleCategory
from identity.domain.account import Account, AlreadyRegistered
from identity.domain.application import Application, VehicleApplication
from identity.domain.attempts import TooManyAttempts
from identity.domain.login import Credential, Login
from identity.domain.registration import new_account
from identity.domain.session import RefreshToken, Revocation, Session, SessionPolicy
from identity.domain.signing_key import SigningKey
from kernel.actor import Actor
from kernel.documents import PixKeyType
from kernel.ids import new_id
from kernel.refusals import NotFound

NOON = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
POLICY = SessionPolicy(sliding_s=7 * 86_400, absolute_s=90 * 86_400, grace_s=10, access_ttl_s=900)
ADMIN = Actor(user_id=new_id(), user_type="admin", ip_address="203.0.113.9", request_id="r-1")
KEY = b"k" * 32

CPFS = ("52998224725", "11144477735", "39053344705")


def cpf_number(number: int) -> str:
    """A valid CPF made from a number."""
    base = f"{number % 1_000_000_000:09d}"
    for weights in (range(10, 1, -1), range(11, 1, -1)):
        total = sum(int(digit) * weight for digit, weight in zip(base, weights, strict=True))
        base += str(total * 10 % 11 % 10)
    return base


def cnh_number(number: int) -> str:
    """A valid CNH made from a number."""
    base = f"{number % 1_000_000_000:09d}"
    first = sum(int(d) * w for d, w in zip(base, range(9, 0, -1), strict=True)) % 11
    discount = 2 if first == 10 else 0
    second = (sum(int(d) * w for d, w in zip(base, range(1, 10), strict=True)) % 11 - discount) % 11 % 10
    return f"{base}{first % 10}{second}"


def plate(number: int) -> str:
    """A Mercosul plate that has no old form, made from a number."""
    letters = "".join(chr(65 + number // 26**power % 26) for power in range(3))
    return f"{letters}{number % 10}K{number // 10 % 100:02d}"


def passenger_application(number: int = 1, **changes: object) -> Application:
    application = Application(
        user_type=UserType.PASSENGER,
        email=f"ana{number}@exemplo.com.br",
        phone=f"+55119{80000000 + number}",
        full_name="Ana Souza",
        cpf=cpf_number(123456000 + number),
    )
    return replace(application, **changes)  # type: ignore[arg-type]


def driver_application(number: int = 1, **changes: object) -> Application:
    application = Application(
        user_type=UserType.DRIVER,
        email=f"davi{number}@exemplo.com.br",
        phone=f"+55119{90000000 + number}",
        full_name="Davi Lima",
        cpf=cpf_number(987654000 + number),
        cnh_number=cnh_number(234567000 + number),
        pix_key=f"davi{number}@exemplo.com.br",
        pix_key_type=PixKeyType.EMAIL,
        vehicle=VehicleApplication(
            license_plate=plate(number),
            brand="Fiat",
            model="Argo",
            year=2024,
            category=VehicleCategory.STANDARD,
        ),
    )
    return replace(application, **changes)  # type: ignore[arg-type]


def passenger(number: int = 1) -> Account:
    return new_account(passenger_application(number), user_id=new_id(), vehicle_id=new_id(), now=NOON)


def driver(number: int = 1, approval: ApprovalStatus = ApprovalStatus.PENDING) -> Account:
    account = new_account(driver_application(number), user_id=new_id(), vehicle_id=new_id(), now=NOON)
    return replace(account, driver=replace(account.the_driver(), approval_status=approval))


@dataclass
class FakeAccounts:
    """The Accounts port on dictionaries."""

    by_id: dict[UUID, Account] = field(default_factory=dict)
    hashes: dict[UUID, str] = field(default_factory=dict)
    locked: list[UUID] = field(default_factory=list)

    async def add(self, account: Account, *, password_hash: str) -> None:
        taken = {value for known in self.by_id.values() for value in _unique(known)}
        if taken & _unique(account):
            raise AlreadyRegistered
        self.by_id[account.id] = account
        self.hashes[account.id] = password_hash

    async def get(self, user_id: UUID) -> Account:
        if user_id not in self.by_id:
            raise NotFound
        return self.by_id[user_id]

    async def lock(self, user_id: UUID) -> Account:
        self.locked.append(user_id)
        return await self.get(user_id)

    async def save(self, account: Account) -> None:
        assert account.id in self.locked, "saved without a lock"
        assert account.user.version == self.by_id[account.id].user.version + 1, "a version was skipped"
        self.by_id[account.id] = account

    async def credential(self, login: Login) -> Credential | None:
        for account in self.by_id.values():
            if login.canonical and login.canonical in {account.user.email, account.user.phone}:
                return Credential(user_id=account.id, password_hash=self.hashes[account.id])
        return None

    async def change_password_hash(self, user_id: UUID, *, password_hash: str) -> None:
        self.hashes[user_id] = password_hash

    async def pending_drivers(self, *, limit: int, after: tuple[datetime, UUID] | None) -> Sequence[Account]:
        waiting = [a for a in self.by_id.values() if a.approval_status is ApprovalStatus.PENDING]
        ordered = sorted(waiting, key=lambda a: (a.user.created_at, a.id))
        return [a for a in ordered if after is None or (a.user.created_at, a.id) > after][:limit]

    async def after(self, user_id: UUID | None, *, limit: int) -> Sequence[Account]:
        return [self.by_id[i] for i in sorted(self.by_id) if user_id is None or i > user_id][:limit]


@dataclass
class FakeSessions:
    """The Sessions port on dictionaries."""

    by_id: dict[UUID, Session] = field(default_factory=dict)
    tokens: dict[tuple[UUID, int], RefreshToken] = field(default_factory=dict)
    addresses: set[tuple[UUID, str]] = field(default_factory=set)

    async def add(self, session: Session, *, token: RefreshToken, address: str | None) -> None:
        self.by_id[session.id] = session
        self.tokens[session.id, token.generation] = token
        if address:
            self.addresses.add((session.user_id, address))

    async def find_token(self, token_hash: bytes) -> RefreshToken | None:
        return next((t for t in self.tokens.values() if t.token_hash == token_hash), None)

    async def lock(self, session_id: UUID) -> Session | None:
        return self.by_id.get(session_id)

    async def token(self, session_id: UUID, *, generation: int) -> RefreshToken:
        return self.tokens[session_id, generation]

    async def rotate(self, session: Session, *, used: RefreshToken, token: RefreshToken) -> None:
        self.by_id[session.id] = session
        self.tokens[session.id, used.generation] = used
        self.tokens[session.id, token.generation] = token

    async def revoke(self, session: Session) -> None:
        assert session.revoked_at
        self.by_id[session.id] = session

    async def lock_live(self, user_id: UUID) -> Sequence[Session]:
        return [s for s in self.by_id.values() if s.user_id == user_id and not s.revoked_at]

    async def known_address(self, user_id: UUID, *, address: str) -> bool:
        return (user_id, address) in self.addresses

    async def revoked_since(self, since: datetime) -> Sequence[Revocation]:
        revoked = [(s, s.revoked_at) for s in self.by_id.values() if s.revoked_at]
        return [
            Revocation(
                session_id=s.id,
                user_id=s.user_id,
                revoked_at=at,
                until=at + timedelta(seconds=POLICY.access_ttl_s),
            )
            for s, at in sorted(revoked, key=lambda pair: pair[1])
            if at >= since
        ]

    async def purge(self, *, before: datetime, limit: int) -> int:
        old = [s.id for s in self.by_id.values() if s.expires_at < before][:limit]
        for session_id in old:
            del self.by_id[session_id]
        return len(old)


@dataclass
class FakeSigningKeys:
    """The SigningKeys port on a list."""

    keys: list[SigningKey] = field(default_factory=list)

    async def lock(self) -> Sequence[SigningKey]:
        return tuple(self.keys)

    async def all(self) -> Sequence[SigningKey]:
        return tuple(self.keys)

    async def add(self, key: SigningKey) -> None:
        self.keys.append(key)

    async def remove(self, kid: str) -> None:
        self.keys = [key for key in self.keys if key.kid != kid]


@dataclass
class FakeTx:
    """The Tx port; `published` is what an outbox would hold."""

    accounts: FakeAccounts = field(default_factory=FakeAccounts)
    sessions: FakeSessions = field(default_factory=FakeSessions)
    signing_keys: FakeSigningKeys = field(default_factory=FakeSigningKeys)
    published: list[tuple[Fact, int]] = field(default_factory=list)
    time: datetime = NOON
    open: bool = False

    def now(self) -> datetime:
        return self.time

    async def publish(self, fact: Fact, *, version: int = 0) -> UUID:
        self.published.append((fact, version))
        return new_id()

    def facts(self) -> list[str]:
        return [fact.fact for fact, _ in self.published]

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["FakeTx"]:
        """What an effect opens: the same state each time."""
        assert not self.open, "a transaction was opened inside another"
        self.open = True
        try:
            yield self
        finally:
            self.open = False

    def holding(self, *accounts: Account, password: str = "segredo-forte") -> "FakeTx":
        for account in accounts:
            self.accounts.by_id[account.id] = account
            self.accounts.hashes[account.id] = f"hash:{password}"
        return self


@dataclass
class FakePasswords:
    """The Passwords port; a hash is the password with a mark before it. `tx` must not be open meanwhile."""

    tx: FakeTx
    verified: list[str | None] = field(default_factory=list)

    async def hash(self, password: str) -> str:
        assert not self.tx.open, "hashed inside a transaction"
        return f"hash:{password}"

    @asynccontextmanager
    async def slot(self) -> AsyncIterator["FakePasswords"]:
        assert not self.tx.open, "waited for a slot inside a transaction"
        yield self

    async def verify(self, password: str, *, password_hash: str | None) -> tuple[bool, str | None]:
        self.verified.append(password_hash)
        if password_hash == f"old:{password}":
            return True, f"hash:{password}"
        return password_hash == f"hash:{password}", None


@dataclass
class FakeAttempts:
    """The Attempts port: refuses once `allowed` failures are counted, except from known addresses."""

    allowed: int = 3
    failures: int = 0

    async def refuse_if_many(self, login: str, *, address: str | None, known: bool) -> None:
        if self.failures >= self.allowed and not known:
            raise TooManyAttempts(retry_after_s=7)

    async def failed(self, login: str, *, address: str | None) -> None:
        self.failures += 1

    async def succeeded(self, login: str, *, address: str | None) -> None:
        self.failures = 0


@dataclass
class FakeKeyMaker:
    """The KeyMaker port: numbered keys that sign nothing."""

    made: int = 0

    async def make(self, now: datetime) -> SigningKey:
        self.made += 1
        return SigningKey(kid=f"k{self.made}", public_jwk={"kty": "RSA"}, private_key="secret", active_at=now)


@dataclass
class FakeRevocationCopy:
    """The RevocationCopy port."""

    written: list[Revocation] = field(default_factory=list)

    async def write(self, revocations: Sequence[Revocation]) -> None:
        self.written.extend(revocations)


def _unique(account: Account) -> set[str]:
    values = {str(account.user.email), str(account.user.phone)}
    if account.passenger:
        values.add(f"passenger {account.passenger.cpf}")
    if account.driver:
        values |= {f"driver {account.driver.cpf}", account.driver.cnh_number, f"pix {account.driver.pix_key}"}
        values |= {car.license_plate for car in account.driver.vehicles}
    return values
