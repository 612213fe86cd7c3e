"""The fault proxy breaks a network in the ways that networks break."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from testkit import FaultProxy, eventually

MakeProxy = Callable[[str], Awaitable[FaultProxy]]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def proxy(tcp_proxy: MakeProxy) -> AsyncIterator[FaultProxy]:
    """In front of a server that echoes."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1000):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield await tcp_proxy(f"127.0.0.1:{port}")


@pytest.fixture
async def client(proxy: FaultProxy) -> AsyncIterator[Streams]:
    reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
    yield reader, writer
    writer.close()


async def test_what_is_sent_comes_back(client: Streams, proxy: FaultProxy) -> None:
    assert await said(client, b"oi") == b"oi"
    assert (proxy.accepted, proxy.connections, proxy.bytes_passed) == (1, 1, 4)


async def test_a_dropped_connection_is_reset_and_the_next_one_works(
    client: Streams, proxy: FaultProxy
) -> None:
    await said(client, b"oi")

    await proxy.drop()

    with pytest.raises(ConnectionResetError):
        await client[0].read(10)
    await works(proxy)


async def test_a_delay_holds_back_each_way(client: Streams, proxy: FaultProxy) -> None:
    proxy.delay(0.05)
    started = time.monotonic()

    assert await said(client, b"oi") == b"oi"

    assert time.monotonic() - started >= 0.1


async def test_nothing_passes_a_half_open_connection_until_it_heals(
    client: Streams, proxy: FaultProxy
) -> None:
    await said(client, b"oi")
    proxy.half_open()

    client[1].write(b"lost?")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client[0].read(10), timeout=0.1)

    await proxy.heal()
    assert await client[0].read(10) == b"lost?"


async def test_new_connections_to_a_half_open_proxy_are_accepted_and_stay_silent(proxy: FaultProxy) -> None:
    proxy.half_open()

    reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
    writer.write(b"oi")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(10), timeout=0.1)
    writer.close()


async def test_a_refusing_proxy_resets_what_is_open_and_refuses_what_comes(
    client: Streams, proxy: FaultProxy
) -> None:
    await said(client, b"oi")

    await proxy.refuse()

    with pytest.raises(ConnectionResetError):
        await client[0].read(10)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(proxy.host, proxy.port)
    address = proxy.address
    await proxy.heal()
    assert proxy.address == address
    await works(proxy)


async def test_an_orderly_end_passes_through(client: Streams, proxy: FaultProxy) -> None:
    await said(client, b"oi")

    client[1].write_eof()

    assert await client[0].read(10) == b""
    await eventually(lambda: proxy.connections == 0)


async def said(client: Streams, words: bytes) -> bytes:
    client[1].write(words)
    return await client[0].read(100)


async def works(proxy: FaultProxy) -> None:
    reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
    assert await said((reader, writer), b"again") == b"again"
    writer.close()
