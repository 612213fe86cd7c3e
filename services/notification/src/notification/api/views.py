"""What notification answers."""

from web import View


class TicketView(View):
    """`url` is absolute: connect to it within `expires_in` seconds."""

    ticket: str
    expires_in: int
    url: str
