"""Identity's transaction: its repositories, and the fast copy of revocations after the commit."""

from sqlalchemy.ext.asyncio import AsyncSession

from identity.adapters.accounts import SqlAccounts
from identity.adapters.sessions import SqlSessions
from identity.adapters.signing_keys import SqlSigningKeys
from identity.adapters.vault import Vault
from identity.domain.session import Revocation, SessionPolicy
from identity.ports import RevocationCopy
from storage import Scope, Transaction


class IdentityTransaction(Transaction):
    """The Tx port on Postgres."""

    def __init__(
        self,
        session: AsyncSession,
        scope: Scope,
        *,
        vault: Vault,
        copy: RevocationCopy,
        policy: SessionPolicy,
    ) -> None:
        super().__init__(session, scope)
        self.accounts = SqlAccounts(session, vault=vault)
        self.sessions = SqlSessions(session, vault=vault, policy=policy, on_revoked=self._on_revoked)
        self.signing_keys = SqlSigningKeys(session, vault=vault)
        self._copy = copy
        self._revoked: list[Revocation] = []

    def _on_revoked(self, revocation: Revocation) -> None:
        if not self._revoked:
            self.after_commit(self._tell)
        self._revoked.append(revocation)

    async def _tell(self) -> None:
        await self._copy.write(self._revoked)
