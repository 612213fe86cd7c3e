"""The development authority's certificates do what TLS asks of them."""

import asyncio
import ssl
from pathlib import Path

import pytest

from devstack.authority import Authority, CertificateFiles


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def test_a_server_and_a_client_of_one_authority_trust_each_other(authority: Authority) -> None:
    subject = await handshake(authority, authority.server(), authority.client(common_name="ibora"))

    assert ("commonName", "ibora") in subject


async def test_a_client_of_another_authority_is_refused(authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "other").client()

    with pytest.raises((ssl.SSLError, ConnectionError)):
        await handshake(authority, authority.server(), stranger)


async def test_an_expired_client_is_refused(authority: Authority) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await handshake(authority, authority.server(), authority.client(expired=True))


async def test_a_server_certificate_is_no_client_certificate(authority: Authority) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await handshake(authority, authority.server(), authority.server("other"))


async def handshake(
    authority: Authority, server: CertificateFiles, client: CertificateFiles
) -> list[tuple[str, str]]:
    """Speak one word over mutual TLS; the client's subject as the server saw it."""
    seen: list[tuple[str, str]] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.extend(pair for part in writer.get_extra_info("peercert")["subject"] for pair in part)
        writer.write(await reader.read(2))
        writer.close()

    there = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.ca)
    there.verify_mode = ssl.CERT_REQUIRED
    there.load_cert_chain(server.cert, server.key)
    here = ssl.create_default_context(cafile=authority.ca)
    here.load_cert_chain(client.cert, client.key)
    listener = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=there)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("localhost", port, ssl=here)
        try:
            writer.write(b"oi")
            # In TLS 1.3 a refused client hears of it with its first read.
            if await reader.read(2) != b"oi":
                raise ConnectionError("refused")
        finally:
            writer.close()
    return seen
