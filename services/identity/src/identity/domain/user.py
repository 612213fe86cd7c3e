"""A user: the account that logs in, whatever its type, and the moves of its status."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID

from contracts.identity import UserBanned, UserReinstated, UserStatus, UserSuspended, UserType
from kernel.refusals import Refusal

MOVES: Final[Mapping[UserStatus, frozenset[UserStatus]]] = {
    UserStatus.ACTIVE: frozenset({UserStatus.SUSPENDED, UserStatus.BANNED}),
    UserStatus.SUSPENDED: frozenset({UserStatus.ACTIVE, UserStatus.BANNED}),
    # A ban can be lifted: LGPD art. 20 gives a person the right to have such a decision reviewed.
    UserStatus.BANNED: frozenset({UserStatus.ACTIVE}),
}


class IllegalTransition(Refusal):
    """The user or driver is not in a state from which this move exists."""

    code = "illegal_transition"
    pt = "Essa mudança não é possível na situação atual."
    en = "This change is not possible in the current state."


class OwnAccount(Refusal):
    """An administrator may not suspend or ban themselves: nobody might be left to undo it."""

    code = "own_account"
    pt = "Você não pode fazer isso com a sua própria conta."
    en = "You cannot do this to your own account."


class UserIsSuspended(Refusal):
    """Said only to someone who knows the password."""

    code = "user_suspended"
    status = 403
    final = False
    pt = "Sua conta está suspensa. Fale com o suporte."
    en = "Your account is suspended. Contact support."


class UserIsBanned(Refusal):
    """Said only to someone who knows the password."""

    code = "user_banned"
    status = 403
    final = False
    pt = "Sua conta foi banida. Fale com o suporte."
    en = "Your account is banned. Contact support."


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """`version` counts every change of the account, its profile and vehicles included.

    `email` is lower-case and `phone` E.164; only an administrator may lack one of them.
    """

    id: UUID
    user_type: UserType
    status: UserStatus = UserStatus.ACTIVE
    status_reason: str | None = None
    email: str | None
    phone: str | None
    version: int = 1
    created_at: datetime

    def suspend(self, *, reason: str, now: datetime) -> tuple[Self, UserSuspended]:
        moved = self._move(UserStatus.SUSPENDED, reason=reason)
        fact = UserSuspended(user_id=self.id, user_type=self.user_type, reason=reason, suspended_at=now)
        return moved, fact

    def ban(self, *, reason: str, now: datetime) -> tuple[Self, UserBanned]:
        moved = self._move(UserStatus.BANNED, reason=reason)
        return moved, UserBanned(user_id=self.id, user_type=self.user_type, reason=reason, banned_at=now)

    def reinstate(self, *, reason: str, now: datetime) -> tuple[Self, UserReinstated]:
        moved = self._move(UserStatus.ACTIVE, reason=reason)
        fact = UserReinstated(user_id=self.id, user_type=self.user_type, reason=reason, reinstated_at=now)
        return moved, fact

    def refuse_unless_active(self) -> None:
        """UserIsSuspended or UserIsBanned."""
        if self.status is UserStatus.SUSPENDED:
            raise UserIsSuspended
        if self.status is UserStatus.BANNED:
            raise UserIsBanned

    def changed(self, **changes: Any) -> Self:
        """The next version of this user."""
        return replace(self, version=self.version + 1, **changes)

    def _move(self, to: UserStatus, *, reason: str) -> Self:
        if to not in MOVES[self.status]:
            raise IllegalTransition(f"user {self.id} cannot go from {self.status} to {to}")
        return self.changed(status=to, status_reason=reason)
