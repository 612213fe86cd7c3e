"""What an audit record or an administrator sees of an account: masked values only."""

from typing import Any

from identity.domain.account import Account
from identity.domain.driver import Driver
from identity.domain.user import User
from kernel.masking import mask_pix_key


def masked_user(user: User) -> dict[str, Any]:
    return {"status": user.status.value, "status_reason": user.status_reason, "version": user.version}


def masked_approval(account: Account) -> dict[str, Any]:
    driver = account.the_driver()
    return {
        "approval_status": driver.approval_status.value,
        "rejection_reason": driver.rejection_reason,
        "version": account.user.version,
    }


def masked_bank_details(driver: Driver) -> dict[str, Any]:
    return {
        "pix_key": mask_pix_key(driver.pix_key_type, driver.pix_key),
        "pix_key_type": driver.pix_key_type.value,
    }
