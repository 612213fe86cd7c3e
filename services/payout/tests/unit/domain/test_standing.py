"""Who may be paid out, and to which key."""

from datetime import datetime, timedelta

import pytest
from payout_fakes import DETAILS, NOW

from contracts.identity import UserStatus
from kernel.ids import new_id
from payout.domain.bank_details import Payee
from payout.domain.standing import AccountNotActive, PixKeyCoolingDown, Standing, cooling_left_s, obstacle
from payout.domain.step import FailureReason, reason_of

DAY_S = 86_400.0
HOUR = timedelta(hours=1)


def standing(status: UserStatus = UserStatus.ACTIVE, changed_at: datetime | None = None) -> Standing:
    return Standing(driver_id=new_id(), status=status, pix_key_changed_at=changed_at)


@pytest.mark.parametrize("status", [UserStatus.SUSPENDED, UserStatus.BANNED])
def test_the_suspended_and_the_banned_are_refused(status: UserStatus) -> None:
    with pytest.raises(AccountNotActive) as refused:
        standing(status).require_active()
    assert (refused.value.status, refused.value.final) == (403, False)
    standing().require_active()


@pytest.mark.parametrize(
    ("changed_at", "left_s"),
    [
        (None, 0),
        (NOW - timedelta(days=2), 0),
        (NOW - timedelta(days=1), 0),
        (NOW - HOUR, 82_800),
        (NOW - timedelta(days=1) + timedelta(microseconds=1), 1),
        (NOW, 86_400),
    ],
)
def test_a_new_key_cools_down_for_a_while(changed_at: datetime | None, left_s: int) -> None:
    assert cooling_left_s(changed_at, now=NOW, cooling_s=DAY_S) == left_s
    if left_s == 0:
        standing(changed_at=changed_at).require_settled_key(now=NOW, cooling_s=DAY_S)
        return
    with pytest.raises(PixKeyCoolingDown) as refused:
        standing(changed_at=changed_at).require_settled_key(now=NOW, cooling_s=DAY_S)
    assert (refused.value.status, refused.value.retry_after_s, refused.value.final) == (409, left_s, False)


def test_without_a_cooling_period_every_key_is_settled() -> None:
    standing(changed_at=NOW).require_settled_key(now=NOW, cooling_s=0)


FINE = Payee(details=DETAILS)


@pytest.mark.parametrize(
    ("payee", "known", "reason"),
    [
        (None, None, FailureReason.NO_PIX_KEY),
        (Payee(details=None), standing(), FailureReason.NO_PIX_KEY),
        (FINE, None, None),
        (FINE, standing(), None),
        (Payee(details=DETAILS, active=False), standing(), FailureReason.ACCOUNT_NOT_ACTIVE),
        (FINE, standing(UserStatus.BANNED), FailureReason.ACCOUNT_NOT_ACTIVE),
        (FINE, standing(changed_at=NOW - HOUR), FailureReason.PIX_KEY_COOLING_DOWN),
        (
            Payee(details=DETAILS, pix_key_changed_at=NOW - HOUR),
            standing(changed_at=NOW - timedelta(days=9)),
            FailureReason.PIX_KEY_COOLING_DOWN,
        ),
        (Payee(details=DETAILS, pix_key_changed_at=NOW - timedelta(days=2)), standing(), None),
    ],
)
def test_whoever_knows_better_is_believed(
    payee: Payee | None, known: Standing | None, reason: FailureReason | None
) -> None:
    assert obstacle(payee, known, now=NOW, cooling_s=DAY_S) == reason


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("chave_nao_pertence_ao_documento", FailureReason.PIX_KEY_NOT_OWNED),
        ("pagamento_negado", FailureReason.REJECTED_BY_BANK),
        (None, FailureReason.REJECTED_BY_BANK),
    ],
)
def test_a_key_of_somebody_else_has_a_reason_of_its_own(code: str | None, reason: FailureReason) -> None:
    assert reason_of(code) is reason
