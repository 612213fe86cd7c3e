"""Manual journals with four eyes: one admin proposes, another approves or rejects."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from fastapi import APIRouter, Request, Response

import web
from kernel.ids import new_id
from kernel.refusals import NotFound
from ledger.api.deps import DepsDep
from ledger.api.journal_views import ProposalView
from ledger.api.orders import JournalOrder, ReasonOrder
from ledger.domain.driver_balance import NegativeBalance
from ledger.domain.journal import InvalidJournal, UnbalancedJournal
from ledger.domain.manual import AlreadyDecided, FourEyes, Proposal, ProposalStatus
from ledger.usecases.approve_manual_journal import approve_manual_journal
from ledger.usecases.get_manual_journal import get_manual_journal
from ledger.usecases.list_manual_journals import list_manual_journals
from ledger.usecases.propose_manual_journal import propose_manual_journal
from ledger.usecases.reject_manual_journal import reject_manual_journal
from web import AdminOnly, IdempotencyKey

router = APIRouter(prefix="/admin/ledger/manual-journals", tags=["manual journals"])


@router.post(
    "",
    operation_id="propose_manual_journal",
    status_code=201,
    response_model=ProposalView,
    responses=web.errors(InvalidJournal, UnbalancedJournal),
)
async def post_proposal(
    request: Request, body: JournalOrder, principal: AdminOnly, key: IdempotencyKey, deps: DepsDep
) -> Response:
    """Propose a journal: its lines, and why. Nothing is posted before another admin approves it."""

    async def work(tx: Any) -> ProposalView:
        proposal = await propose_manual_journal(
            tx,
            proposal_id=new_id(),
            lines=body.drafted(),
            description=body.description,
            reason=body.reason,
            reference_number=body.reference_number,
            actor=web.actor(request, principal),
            now=deps.now(),
        )
        return ProposalView.of(proposal)

    return await web.idempotent(
        request,
        transaction=deps.transaction,
        principal=principal,
        operation="propose_manual_journal",
        key=key,
        work=work,
    )


@router.get("", operation_id="list_manual_journals", response_model=web.Page[ProposalView])
async def proposals(
    _: AdminOnly,
    deps: DepsDep,
    limit: web.Limit,
    cursor: web.Cursor,
    status: ProposalStatus | None = None,
) -> dict[str, Any]:
    """Newest first."""
    after = cast("tuple[datetime, UUID] | None", web.decode_cursor(cursor))
    async with deps.reading() as tx:
        found = await list_manual_journals(tx, status=status, after=after, limit=limit + 1)
    return web.page(found, limit=limit, cursor_of=_place, view=ProposalView.of)


@router.get("/{proposal_id}", operation_id="get_manual_journal", responses=web.errors(NotFound))
async def proposal(proposal_id: UUID, _: AdminOnly, deps: DepsDep) -> ProposalView:
    """One proposal."""
    async with deps.reading() as tx:
        found = await get_manual_journal(tx, proposal_id=proposal_id)
    return ProposalView.of(found)


@router.post(
    "/{proposal_id}/approve",
    operation_id="approve_manual_journal",
    response_model=ProposalView,
    responses=web.errors(NotFound, AlreadyDecided, FourEyes, NegativeBalance),
)
async def post_approval(
    request: Request, proposal_id: UUID, principal: AdminOnly, key: IdempotencyKey, deps: DepsDep
) -> Response:
    """Approve another admin's proposal: it is posted with the approval, once."""

    async def work(tx: Any) -> ProposalView:
        actor = web.actor(request, principal)
        approved = await approve_manual_journal(tx, proposal_id=proposal_id, actor=actor, now=deps.now())
        return ProposalView.of(approved)

    return await web.idempotent(
        request,
        transaction=deps.transaction,
        principal=principal,
        operation="approve_manual_journal",
        key=key,
        work=work,
        status=200,
        body_counts=False,
    )


@router.post(
    "/{proposal_id}/reject",
    operation_id="reject_manual_journal",
    responses=web.errors(NotFound, AlreadyDecided),
)
async def post_rejection(
    request: Request, proposal_id: UUID, body: ReasonOrder, principal: AdminOnly, deps: DepsDep
) -> ProposalView:
    """Reject a proposal, and why; one's own too."""
    async with deps.transaction() as tx:
        rejected = await reject_manual_journal(
            tx,
            proposal_id=proposal_id,
            reason=body.reason,
            actor=web.actor(request, principal),
            now=deps.now(),
        )
    return ProposalView.of(rejected)


def _place(found: Proposal) -> tuple[datetime, UUID]:
    return found.proposed_at, found.id
