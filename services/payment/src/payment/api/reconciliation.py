"""Have a day's statement published now, for whoever wants the reconciliation before the night's run."""

from typing import cast

from fastapi import APIRouter, Request

import web
from contracts.audit import audited
from kernel.refusals import Invalid, Unavailable
from payment.api.deps import DepsDep
from payment.api.views import StatementRequest, StatementView
from payment.domain.provider import ProviderError
from payment.domain.statement import StatementAlreadyPublished, over
from payment.effects.publish_day_statement import publish_day_statement
from payment.ports import Deps
from web import AdminOnly

router = APIRouter(tags=["payments"])


@router.post(
    "/admin/reconciliation/statements",
    operation_id="publish_day_statement",
    response_model=StatementView,
    responses=web.errors(Invalid, StatementAlreadyPublished, Unavailable),
)
async def post_statement(
    request: Request, body: StatementRequest, principal: AdminOnly, deps: DepsDep
) -> StatementView:
    """Publish what Efí lists of a day. A day under way shows what there is so far and is published again in full
    when it is over; of a day that is over only one statement is ever published.
    """
    complete = over(body.day, now=deps.now())
    try:
        statement = await publish_day_statement(cast(Deps, deps), day=body.day)
    except ProviderError as error:
        raise Unavailable("Efí does not answer") from error
    if statement is None:
        raise StatementAlreadyPublished
    async with deps.transaction() as tx:
        await tx.publish(
            audited(
                "publish_day_statement",
                entity_type="statement",
                entity_id=body.day.isoformat(),
                actor=web.actor(request, principal),
                now=deps.now(),
                after={"lines": len(statement.lines), "complete": complete},
            )
        )
    return StatementView.of(statement, complete=complete)
