"""The moves of a user's status and of a driver's approval."""

from dataclasses import replace
from itertools import product

import pytest
from identity_fakes import NOON, driver, passenger

from contracts.identity import ApprovalStatus, UserStatus
from identity.domain import driver as drivers
from identity.domain import user as users
from identity.domain.user import IllegalTransition, UserIsBanned, UserIsSuspended
from kernel.documents import PixKeyType

VERBS = {UserStatus.SUSPENDED: "suspend", UserStatus.ACTIVE: "reinstate", UserStatus.BANNED: "ban"}


@pytest.mark.parametrize(("before", "after"), list(product(UserStatus, UserStatus)))
def test_a_user_moves_only_as_the_table_says(before: UserStatus, after: UserStatus) -> None:
    user = replace(passenger().user, status=before)
    verb = getattr(user, VERBS[after])
    if after not in users.MOVES[before]:
        with pytest.raises(IllegalTransition):
            verb(reason="r", now=NOON)
        return
    moved, fact = verb(reason="r", now=NOON)
    assert (moved.status, moved.status_reason, moved.version) == (after, "r", user.version + 1)
    assert (fact.user_id, fact.reason, fact.user_type) == (user.id, "r", user.user_type)


@pytest.mark.parametrize(("before", "after"), list(product(ApprovalStatus, ApprovalStatus)))
def test_a_driver_moves_only_as_the_table_says(before: ApprovalStatus, after: ApprovalStatus) -> None:
    person = driver(approval=before).the_driver()
    if after is ApprovalStatus.PENDING:
        assert after not in drivers.MOVES[before]
        return
    move = (
        (lambda: person.approve(now=NOON))
        if after is ApprovalStatus.APPROVED
        else (lambda: person.reject(reason="foto", now=NOON))
    )
    if after not in drivers.MOVES[before]:
        with pytest.raises(IllegalTransition):
            move()
        return
    moved, fact = move()
    assert moved.approval_status is after
    assert fact.user_id == person.id


def test_a_rejection_keeps_its_reason_and_an_approval_clears_it() -> None:
    rejected, _ = driver().the_driver().reject(reason="documento ilegível", now=NOON)
    assert rejected.rejection_reason == "documento ilegível"
    approved, _ = rejected.approve(now=NOON)
    assert approved.rejection_reason is None


@pytest.mark.parametrize(
    ("status", "refusal"), [(UserStatus.SUSPENDED, UserIsSuspended), (UserStatus.BANNED, UserIsBanned)]
)
def test_an_inactive_user_is_refused_with_its_own_code(status: UserStatus, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        replace(passenger().user, status=status).refuse_unless_active()


def test_an_active_user_is_not_refused() -> None:
    passenger().user.refuse_unless_active()


def test_a_changed_pix_key_says_when_but_not_what_in_its_fact() -> None:
    changed, fact = (
        driver()
        .the_driver()
        .change_pix_key(pix_key="+5511987654321", pix_key_type=PixKeyType.PHONE, now=NOON)
    )
    assert (changed.pix_key, changed.pix_key_changed_at) == ("+5511987654321", NOON)
    assert "987654321" not in fact.model_dump_json()


def test_documents_never_show_in_a_repr() -> None:
    shown = repr(driver()) + repr(passenger())
    assert driver().the_driver().cpf not in shown
    assert driver().the_driver().cnh_number not in shown
    assert driver().the_driver().pix_key not in repr(driver().the_driver())
