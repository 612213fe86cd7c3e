"""The balance of one account, now or as of a moment."""

from decimal import Decimal
from uuid import UUID

from kernel.refusals import FieldError, Invalid
from ledger.domain.as_of import Moment
from ledger.domain.chart import detail_account
from ledger.ports import Tx


class NoOwners(Invalid):
    """The account keeps no sub-balances."""

    code = "no_owners"
    pt = "Esta conta não tem saldos por pessoa."
    en = "This account keeps no balances per person."

    def __init__(self) -> None:
        super().__init__(errors=[FieldError(pointer="/query/owner_id", code=self.code, detail=self.en)])


async def get_account_balance(
    tx: Tx, *, code: str, owner_id: UUID | None = None, as_of: Moment | None = None
) -> Decimal:
    """On the account's normal side; of all owners together, or of one. Without `as_of` everything committed.

    UnknownAccount for a header or no account; NoOwners for an owner of an account that keeps none.
    """
    found = detail_account(code)
    if owner_id is not None and found.owner is None:
        raise NoOwners
    if as_of is None:
        assert owner_id is None, "a sub-balance is asked for as of a moment"
        return await tx.balances.of_account(code)
    return (await tx.days.turnover(code, owner_id=owner_id, moment=as_of)).balance(code)
