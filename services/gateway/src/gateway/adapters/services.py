"""The services behind the gateway, over aiohttp's client."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from gateway.domain.closes import Close
from gateway.domain.headers import Header
from gateway.ports import Answer, Call, HandshakeRefused, ServiceDown, ServiceTooSlow, Socket
from telemetry import get_logger, tracing

log = get_logger(__name__)

# Below uvicorn's 75 s: the side that sends requests is the one that gives up an idle connection.
KEEP_ALIVE_S: Final = 30
MAX_FRAME_BYTES: Final = 1_048_576
CLOSE_TIMEOUT_S: Final = 2.0
NOT_WRITTEN_FOR_US: Final = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


class HttpServices:
    """The Services port, and a Background that holds the connections. `urls` by the services' names."""

    def __init__(self, urls: Mapping[str, str], *, connect_timeout_s: float, timeout_s: float) -> None:
        self._urls = {name: url.rstrip("/") for name, url in urls.items()}
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=connect_timeout_s)
        self._handshake = aiohttp.ClientTimeout(sock_connect=connect_timeout_s)
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=NOT_WRITTEN_FOR_US,
            timeout=self._timeout,
            trust_env=False,
        )

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def unhealthy(self) -> str | None:
        return None

    async def call(self, call: Call) -> Answer:
        try:
            response = await self._open().request(
                call.method,
                self._url(call),
                data=call.body,
                headers=_headers(call),
                allow_redirects=False,
            )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _failure(call.service, error) from error
        return HttpAnswer(response, service=call.service)

    @asynccontextmanager
    async def connect(
        self, call: Call, *, protocols: Sequence[str]
    ) -> AsyncIterator[tuple[Socket, str | None]]:
        try:
            async with asyncio.timeout(self._timeout_s):
                socket = await self._open().ws_connect(
                    self._url(call),
                    protocols=protocols,
                    headers=_headers(call),
                    max_msg_size=MAX_FRAME_BYTES,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT_S),
                )
        except aiohttp.WSServerHandshakeError as error:
            # Its text holds the address, and with it the ticket.
            raise HandshakeRefused(error.status) from None
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _failure(call.service, error) from None
        try:
            yield HttpSocket(socket), socket.protocol
        finally:
            await socket.close()

    def _open(self) -> aiohttp.ClientSession:
        assert self._session is not None, "the gateway has not started"
        return self._session

    def _url(self, call: Call) -> URL:
        if call.service not in self._urls:
            log.error("service_without_address", service=call.service)
            raise ServiceDown
        query = f"?{call.query.decode('latin-1')}" if call.query else ""
        # As the client wrote it: encoded once, and only once.
        return URL(f"{self._urls[call.service]}{call.path}{query}", encoded=True)


class HttpAnswer:
    """The Answer port."""

    def __init__(self, response: aiohttp.ClientResponse, *, service: str) -> None:
        self._response = response
        self._service = service

    @property
    def status(self) -> int:
        return self._response.status

    @property
    def headers(self) -> Sequence[Header]:
        return self._response.raw_headers

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._response.content.iter_any():
                yield chunk
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _failure(self._service, error) from error

    def close(self) -> None:
        # A body that was read to its end gives its connection back; one that was not takes it along.
        self._response.close()


class HttpSocket:
    """The Socket port on the service's side."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def receive(self) -> str | bytes | Close:
        message = await self._socket.receive()
        if message.type in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}:
            return message.data  # type: ignore[no-any-return]
        if message.type is aiohttp.WSMsgType.CLOSE:
            return Close(int(message.data or 1005), message.extra or "")
        return Close(self._socket.close_code or 1006)

    async def send(self, message: str | bytes) -> None:
        if isinstance(message, str):
            await self._socket.send_str(message)
        else:
            await self._socket.send_bytes(message)

    async def close(self, close: Close) -> None:
        await self._socket.close(code=close.code, message=close.reason.encode())


def _headers(call: Call) -> CIMultiDict[str]:
    headers = CIMultiDict((name.decode("latin-1"), value.decode("latin-1")) for name, value in call.headers)
    headers.update(tracing.current_headers())
    return headers


def _failure(service: str, error: Exception) -> ServiceDown | ServiceTooSlow:
    log.warning("service_failed", service=service, reason=type(error).__name__)
    never_reached = isinstance(error, aiohttp.ConnectionTimeoutError)
    if isinstance(error, TimeoutError) and not never_reached:
        return ServiceTooSlow()
    return ServiceDown(retry_after_s=1)
