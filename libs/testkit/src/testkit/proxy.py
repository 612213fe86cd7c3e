"""A loopback TCP proxy whose network can be broken at will."""

import asyncio
import contextlib
import socket
import struct
from enum import Enum

_CHUNK = 65_536


class Fault(Enum):
    NONE = "none"
    HALF_OPEN = "half-open"  # connections are accepted and kept, nothing passes, nobody is told
    REFUSE = "refuse"  # connecting fails at once


class FaultProxy:
    """Stands in front of one address. Faults apply to connections that are open as well as to new ones.

    `address` is "127.0.0.1:port" and stays the same through refuse and heal. Delays are one way, in seconds.
    """

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], tuple[asyncio.StreamWriter, asyncio.StreamWriter | None]] = {}
        self._passing = asyncio.Event()
        self._passing.set()
        self._fault = Fault.NONE
        self._delay_s = 0.0
        self.host = "127.0.0.1"
        self.port = 0
        self.accepted = 0
        self.bytes_passed = 0

    @classmethod
    async def start(cls, target: str) -> "FaultProxy":
        """Listen on a free port in front of "host:port"."""
        proxy = cls(target)
        await proxy._listen()
        return proxy

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def connections(self) -> int:
        """How many clients are connected now."""
        return len(self._open)

    async def drop(self) -> None:
        """Reset every open connection (RST); new ones are served."""
        for task, writers in list(self._open.items()):
            for writer in writers:
                if writer is not None:
                    _reset(writer)
            task.cancel()
        await self._settle()

    def delay(self, seconds: float) -> None:
        """Hold back what passes, each way, by so much."""
        self._delay_s = seconds

    def half_open(self) -> None:
        """Nothing passes any more, and nobody is told: what a lost route looks like."""
        self._fault = Fault.HALF_OPEN
        self._passing.clear()

    async def refuse(self) -> None:
        """Reset what is open and refuse what comes."""
        self._fault = Fault.REFUSE
        await self._unlisten()
        await self.drop()

    async def heal(self) -> None:
        """All is well again; what waited in a half-open connection passes now."""
        was, self._fault, self._delay_s = self._fault, Fault.NONE, 0.0
        self._passing.set()
        if was is Fault.REFUSE:
            await self._listen()

    async def close(self) -> None:
        """Stop listening and end every connection."""
        self._passing.set()
        await self._unlisten()
        await self.drop()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _unlisten(self) -> None:
        if self._server:
            self._server.close()
            self._server = None

    async def _settle(self) -> None:
        tasks = [task for task in self._open if task is not asyncio.current_task()]
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.accepted += 1
        self._open[task] = (writer, None)
        try:
            await self._passing.wait()
            far_reader, far_writer = await asyncio.open_connection(*self._target)
            self._open[task] = (writer, far_writer)
            await self._join(reader, writer, far_reader, far_writer)
        except (OSError, asyncio.CancelledError):
            _reset(writer)
        finally:
            writers = self._open.pop(task)
            for each in writers:
                if each is not None:
                    await _finish(each)

    async def _join(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        far_reader: asyncio.StreamReader,
        far_writer: asyncio.StreamWriter,
    ) -> None:
        ways = [
            asyncio.ensure_future(self._pass(reader, far_writer)),
            asyncio.ensure_future(self._pass(far_reader, writer)),
        ]
        try:
            await asyncio.gather(*ways)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(_CHUNK):
            if self._delay_s:
                await asyncio.sleep(self._delay_s)
            await self._passing.wait()
            sink.write(data)
            self.bytes_passed += len(data)
            await sink.drain()
        await self._passing.wait()
        if sink.can_write_eof():
            sink.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close so that the other end sees a reset, not an orderly end."""
    connection: socket.socket | None = writer.get_extra_info("socket")
    if connection is not None and connection.fileno() >= 0:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _finish(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, asyncio.CancelledError):
        await writer.wait_closed()
