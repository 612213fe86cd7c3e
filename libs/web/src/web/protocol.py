"""uvicorn's HTTP protocol with what it lacks: limits on headers, and the client's certificate."""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from web.languages import DEFAULT
from web.problems import MEDIA_TYPE, TYPE_BASE, Problem, title_of

MAX_HEADER_BYTES: Final = 65_536
NOT_HTTP: Final = Problem(
    type=f"{TYPE_BASE}malformed_request",
    title=title_of(400, language=DEFAULT),
    status=400,
    detail="O pedido não é HTTP válido, ou tem cabeçalhos grandes demais.",
    instance="",
    code="malformed_request",
    request_id="",
)
PEER: Final = "ibora.peer_certificate"


class GuardedProtocol(HttpToolsProtocol):
    """Closes a connection that dawdles over its headers (slowloris) or sends too many of them."""

    header_timeout_s = 15.0
    _timer: asyncio.TimerHandle | None = None
    _header_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse; what arrived without completing the headers is counted."""
        super().data_received(data)
        if self._timer is not None and not self.transport.is_closing():
            self._header_bytes += len(data)
            if self._header_bytes > MAX_HEADER_BYTES:
                self._stop_timer()
                self.send_400_response("headers too large")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._start_timer()
        certificate = _peer_certificate(self.transport)
        if certificate:
            self.scope["extensions"] = {PEER: dict(certificate)}

    def on_headers_complete(self) -> None:
        self._stop_timer()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP never reaches the app; it gets a problem all the same, and the connection ends."""
        body = NOT_HTTP.model_dump_json().encode()
        head = (
            "HTTP/1.1 400 Bad Request\r\n"
            f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

    def _start_timer(self) -> None:
        """The timer runs exactly while headers are awaited."""
        if self._timer is None:
            self._header_bytes = 0
            self._timer = self.loop.call_later(self.header_timeout_s, self._too_slow)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        self.transport.close()


def guarded_by(header_timeout_s: float) -> type[GuardedProtocol]:
    """The protocol class with a time limit of its own: uvicorn makes its instances."""
    return type("GuardedProtocol", (GuardedProtocol,), {"header_timeout_s": header_timeout_s})


def _peer_certificate(transport: Any) -> dict[object, object] | None:
    ssl_object = transport.get_extra_info("ssl_object")
    return ssl_object.getpeercert() if ssl_object is not None else None
