"""Tickets: an access token never stands in a URL."""

from fastapi import APIRouter

from notification.api.deps import DepsDep
from notification.api.views import TicketView
from notification.domain.ticket import Holder
from notification.effects.issue_ticket import issue_ticket
from web import AnyUser

router = APIRouter(tags=["real time"])


@router.post("/ws/tickets", operation_id="issue_ticket", status_code=201, response_model=TicketView)
async def post_ticket(principal: AnyUser, deps: DepsDep) -> TicketView:
    """A single-use ticket for one socket."""
    holder = Holder(
        user_id=principal.user_id,
        user_type=principal.user_type,
        session_id=principal.session_id,
        issued_at=principal.issued_at,
        expires_at=principal.expires_at,
    )
    ticket = await issue_ticket(deps, holder=holder)
    base = deps.public_url.rstrip("/").replace("http", "ws", 1)
    return TicketView(ticket=ticket, expires_in=deps.ticket_ttl_s, url=f"{base}/v1/ws/{ticket}")
