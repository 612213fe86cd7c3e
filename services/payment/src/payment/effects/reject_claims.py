"""Tell claims of webhooks that Efí does not bear out, and count them."""

from collections.abc import Iterable

from payment.domain.claim import Rejection
from payment.metrics import CLAIMS_REJECTED
from payment.ports import Deps
from payment.usecases.reject_claim import reject_claim


async def reject_claims(deps: Deps, rejections: Iterable[Rejection]) -> None:
    """`reject_claim` each, in a transaction of its own; only what is told for the first time counts."""
    for rejection in rejections:
        async with deps.transaction() as tx:
            new = await reject_claim(tx, rejection=rejection, now=deps.now())
        CLAIMS_REJECTED.labels(rejection.kind).inc(new)
