"""The two doors of one process: the API over mTLS and the plain control door."""

import asyncio
import signal
import ssl
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, cast

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from efi_simulator.ports import ABORT

STOP_S: Final = 3


class CuttableProtocol(HttpToolsProtocol):
    """Lets a request cut its own connection, so that its answer is lost as on a bad network.

    The scope's `efi_simulator.abort` does it; ASGI itself knows no such thing.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        inner = cast(ASGIApp, self.app)

        async def with_abort(scope: Scope, receive: Receive, send: Send) -> None:
            scope[ABORT] = self.transport.abort
            await inner(scope, receive, send)

        self.app = with_abort


class Listener(uvicorn.Server):
    """Leaves the signals to `serve`, which stops all listeners together."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def mutual_tls(
    app: ASGIApp, *, host: str, port: int, certificate_file: Path, key_file: Path, client_ca_file: Path
) -> Listener:
    """A listener that speaks to nobody without a certificate that `client_ca_file` verifies."""
    return Listener(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            http=CuttableProtocol,
            ssl_certfile=certificate_file,
            ssl_keyfile=key_file,
            ssl_ca_certs=str(client_ca_file),
            ssl_cert_reqs=ssl.CERT_REQUIRED,
            **_COMMON,
        )
    )


def plain(app: ASGIApp, *, host: str, port: int) -> Listener:
    """A listener without TLS or authentication: for loopback only."""
    return Listener(uvicorn.Config(app, host=host, port=port, lifespan="off", **_COMMON))


async def serve(listeners: Sequence[Listener], *, before_stop: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT, or until one of them stops. `before_stop` ends answers that have no end."""

    def stop() -> None:
        before_stop()
        for listener in listeners:
            listener.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    tasks = [asyncio.create_task(listener.serve()) for listener in listeners]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    stop()
    await asyncio.gather(*tasks)


_COMMON: Final[dict[str, Any]] = {
    "log_config": None,
    "access_log": False,
    "server_header": False,
    "timeout_graceful_shutdown": STOP_S,
}
