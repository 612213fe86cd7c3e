"""Serving: one or several listeners in one process, and a graceful end.

On SIGTERM readiness turns red first, the process keeps serving for `drain_s` while load balancers notice,
then uvicorn stops listening, finishes the requests in flight and closes sockets with 1012 (service restart).
A second signal ends the waiting.
"""

import asyncio
import logging
import math
import signal
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import uvicorn
import uvloop
from fastapi import FastAPI
from starlette.requests import HTTPConnection

from telemetry import get_logger, mask_text
from web.background import cancel
from web.protocol import PEER, guarded_by
from web.settings import WebSettings

log = get_logger(__name__)

KEEP_ALIVE_S: Final = 75
CERTIFICATES_S: Final = 10.0
MAX_FRAME_BYTES: Final = 65_536
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One more listener. With `ssl_ca_certs` a client must show a certificate signed by one of them."""

    app: FastAPI
    host: str
    port: int
    ssl_certfile: Path | None = None
    ssl_keyfile: Path | None = None
    ssl_ca_certs: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerCertificate:
    """The verified client certificate of an mTLS connection; names are OpenSSL's, such as `commonName`."""

    subject: dict[str, str]
    issuer: dict[str, str]
    serial_number: str


def peer_certificate(connection: HTTPConnection) -> PeerCertificate | None:
    """The client's certificate, or None on a connection without one."""
    shown = (connection.scope.get("extensions") or {}).get(PEER)
    if not shown:
        return None
    return PeerCertificate(
        subject=_names(shown["subject"]), issuer=_names(shown["issuer"]), serial_number=shown["serialNumber"]
    )


def serve(app: FastAPI, settings: WebSettings, *, extra: Sequence[Server] = ()) -> None:
    """Serve until SIGTERM or SIGINT, then drain. `extra` listeners open once the app has started."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run_until_stopped(app, settings, extra=extra))


async def run_until_stopped(
    app: FastAPI,
    settings: WebSettings,
    *,
    extra: Sequence[Server] = (),
    stopping: "Stopping | None" = None,
) -> None:
    """`serve` inside a running loop; tests pass `stopping` and set it themselves."""
    stopping = stopping or Stopping()
    main = Server(app=app, host=settings.service_host, port=settings.service_port)
    with _hide_socket_paths(), stopping.on_signals():
        running = await _open_all([main, *extra], settings)
        stopping.listeners = [listener for listener, _ in running]
        tasks = [task for _, task in running]
        rotation = asyncio.create_task(_follow_certificates(stopping.listeners))
        await _until_asked(stopping, tasks)
        await _drain({listener.config.app for listener, _ in running}, stopping, settings)
        for listener in stopping.listeners:
            listener.should_exit = True
        await asyncio.gather(*tasks)
        await cancel(rotation)


@dataclass(slots=True)
class Stopping:
    """The wish to stop: `ask` once to drain, twice to hurry."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    hurried: asyncio.Event = field(default_factory=asyncio.Event)
    listeners: list["Listener"] = field(default_factory=list)

    def ask(self) -> None:
        """Ask to stop; asked again, do not wait for anybody any more."""
        if self.asked.is_set():
            self.hurried.set()
            for listener in self.listeners:
                listener.force_exit = True
        self.asked.set()

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Ask on SIGTERM and SIGINT, for the length of a block."""
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self.ask)
        try:
            yield
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)


class Listener(uvicorn.Server):
    """A uvicorn server that leaves the signals to us."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """uvicorn's, which forgets the lifespan when hurried: what runs beside must stop all the same."""
        await super().shutdown(sockets)
        if self.force_exit:
            await self._cut_off()
            await self.lifespan.shutdown()

    async def _cut_off(self) -> None:
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    @property
    def port(self) -> int:
        """The port that it really listens on, which is a free one when it was asked for 0."""
        return int(self.servers[0].sockets[0].getsockname()[1])


async def _open_all(
    servers: Sequence[Server], settings: WebSettings
) -> list[tuple[Listener, asyncio.Task[None]]]:
    running: list[tuple[Listener, asyncio.Task[None]]] = []
    seen: set[int] = set()
    for server in servers:
        listener = Listener(_config(server, settings, lifespan="off" if id(server.app) in seen else "on"))
        seen.add(id(server.app))
        task = asyncio.create_task(listener.serve())
        running.append((listener, task))
        await _started(listener, task)
        log.info("listening", host=server.host, port=listener.port, tls=server.ssl_certfile is not None)
    return running


async def _started(listener: Listener, task: asyncio.Task[None]) -> None:
    while not listener.started:
        if task.done():
            task.result()
            raise RuntimeError("the listener ended before it started")
        await asyncio.sleep(0.01)


async def _until_asked(stopping: Stopping, tasks: Sequence[asyncio.Task[None]]) -> None:
    asked = asyncio.create_task(stopping.asked.wait())
    await asyncio.wait([asked, *tasks], return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()


async def _drain(apps: set[Any], stopping: Stopping, settings: WebSettings) -> None:
    log.info("draining", drain_s=settings.drain_s)
    for app in apps:
        app.state.draining = True
    try:
        async with asyncio.timeout(settings.drain_s):
            await stopping.hurried.wait()
    except TimeoutError:
        return


async def _follow_certificates(listeners: Sequence[Listener]) -> None:
    """Present a renewed certificate to new connections without a restart."""
    stamps = {id(listener): _stamp(listener) for listener in listeners}
    while True:
        await asyncio.sleep(CERTIFICATES_S)
        for listener in listeners:
            if _stamp(listener) != stamps[id(listener)]:
                _load_certificate(listener)
                stamps[id(listener)] = _stamp(listener)


def _stamp(listener: Listener) -> tuple[int, ...]:
    files = (listener.config.ssl_certfile, listener.config.ssl_keyfile)
    return tuple(Path(file).stat().st_mtime_ns for file in files if file and Path(file).exists())


def _load_certificate(listener: Listener) -> None:
    config = listener.config
    if config.ssl is None or config.ssl_certfile is None:
        return
    try:
        config.ssl.load_cert_chain(config.ssl_certfile, config.ssl_keyfile)
    except (OSError, ValueError) as error:  # half-written: the next round sees the rest
        log.warning("certificate_not_loaded", reason=type(error).__name__)
    else:
        log.info("certificate_renewed", port=listener.port)


def _config(server: Server, settings: WebSettings, *, lifespan: Any) -> uvicorn.Config:
    return uvicorn.Config(
        server.app,
        host=server.host,
        port=server.port,
        http=guarded_by(settings.header_timeout_s),
        ws="websockets-sansio",
        ws_max_size=MAX_FRAME_BYTES,
        ws_per_message_deflate=False,
        lifespan=lifespan,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=math.ceil(settings.shutdown_s),
        ssl_certfile=server.ssl_certfile,
        ssl_keyfile=server.ssl_keyfile,
        ssl_ca_certs=server.ssl_ca_certs,
        ssl_cert_reqs=ssl.CERT_REQUIRED if server.ssl_ca_certs else ssl.CERT_NONE,
    )


class SocketPathFilter(logging.Filter):
    """uvicorn logs each socket's path, which holds its ticket, even without an access log."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the finished message; never drops a record."""
        record.msg, record.args = mask_text(record.getMessage()), ()
        return True


@contextmanager
def _hide_socket_paths() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ("uvicorn.error", "websockets.server")]
    mask = SocketPathFilter()
    for logger in loggers:
        logger.addFilter(mask)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(mask)


def _names(distinguished: Sequence[Sequence[tuple[str, str]]]) -> dict[str, str]:
    return {name: value for relative in distinguished for name, value in relative}
