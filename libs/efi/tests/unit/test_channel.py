"""Certificates and secrets are read again when their files change."""

import json
import os
import ssl
import subprocess
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import NoEncryption, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509 import load_pem_x509_certificates
from efi_fakes import TXID, ScriptedEfi, client_of, cob, json_answer, settings_in

from efi import EfiUnreachable
from efi.certificates import BadCertificate, client_context, pem_of
from efi.channel import connect_with_mtls
from testkit.certificates import Certificates


def _touch(path: Path, text: str) -> None:
    path.write_text(text)
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000_000))


def _pem(certificates: Certificates) -> bytes:
    return certificates.client.key.read_bytes() + certificates.client.cert.read_bytes()


def _p12(certificates: Certificates, *, with_key: bool = True) -> bytes:
    chain = load_pem_x509_certificates(certificates.client.cert.read_bytes())
    key = load_pem_private_key(certificates.client.key.read_bytes(), None) if with_key else None
    return serialize_key_and_certificates(b"efi", key, chain[0], chain[1:] or None, NoEncryption())  # type: ignore[arg-type]


async def test_new_credentials_are_used_at_the_next_call(tmp_path: Path) -> None:
    efi = ScriptedEfi([json_answer(cob()), json_answer(cob())])
    async with client_of(efi, tmp_path) as client:
        await client.get_charge(TXID)
        _touch(tmp_path / "credentials.json", json.dumps({"client_id": "id2", "client_secret": "s2"}))
        await client.get_charge(TXID)
    assert [login.headers["Authorization"] for login in efi.logins] == [
        "Basic aWQ6c2VjcmV0",
        "Basic aWQyOnMy",
    ]


@pytest.mark.parametrize("half_written", ["", "{", '{"client_id": "id"}', "[]"])
async def test_a_half_written_file_leaves_the_old_secret_in_use(tmp_path: Path, half_written: str) -> None:
    efi = ScriptedEfi([json_answer(cob()), json_answer(cob())])
    async with client_of(efi, tmp_path) as client:
        await client.get_charge(TXID)
        _touch(tmp_path / "credentials.json", half_written)
        await client.get_charge(TXID)
    assert len(efi.logins) == 1


async def test_a_missing_certificate_leaves_the_old_connections_in_use(tmp_path: Path) -> None:
    efi = ScriptedEfi([json_answer(cob()), json_answer(cob())])
    async with client_of(efi, tmp_path) as client:
        await client.get_charge(TXID)
        (tmp_path / "client.pem").unlink()
        await client.get_charge(TXID)
    assert len(efi.logins) == 1


async def test_files_that_never_worked_make_efi_unreachable(tmp_path: Path) -> None:
    efi = ScriptedEfi()
    async with client_of(efi, tmp_path) as client:
        (tmp_path / "credentials.json").unlink()
        with pytest.raises(EfiUnreachable, match="unusable"):
            await client.get_charge(TXID)
    assert efi.requests == []


async def test_a_call_in_flight_keeps_its_connections_when_the_files_change(tmp_path: Path) -> None:
    opened: list[httpx.AsyncClient] = []
    efi = ScriptedEfi()

    def connect_and_keep(settings: object) -> httpx.AsyncClient:
        opened.append(efi.connect(settings))  # type: ignore[arg-type]
        return opened[-1]

    async with client_of(efi, tmp_path, connect=connect_and_keep) as client:

        def change_during_the_call(_: httpx.Request) -> httpx.Response:
            _touch(tmp_path / "credentials.json", json.dumps({"client_id": "id2", "client_secret": "s2"}))
            return httpx.Response(429)

        efi.script = [change_during_the_call, json_answer(cob())]
        await client.get_charge(TXID)
        assert [one.is_closed for one in opened] == [True, False]
    assert opened[1].is_closed


async def test_another_certificate_gets_a_token_of_its_own(tmp_path: Path) -> None:
    efi = ScriptedEfi([json_answer(cob()), json_answer(cob())])
    async with client_of(efi, tmp_path) as client:
        await client.get_charge(TXID)
        _touch(tmp_path / "client.pem", "another")
        await client.get_charge(TXID)
    assert [request.headers["Authorization"] for request in efi.requests] == ["Bearer t1", "Bearer t2"]


async def test_the_pem_file_of_a_client_loads(tmp_path: Path, certificates: Certificates) -> None:
    settings = settings_in(tmp_path, efi_ca_file=certificates.ca)
    settings.efi_certificate_file.write_bytes(_pem(certificates))
    async with connect_with_mtls(settings) as client:
        assert client.base_url == "https://efi.invalid"


def test_a_p12_without_a_passphrase_becomes_pem(certificates: Certificates) -> None:
    pem = pem_of(_p12(certificates))
    assert b"PRIVATE KEY" in pem
    assert b"BEGIN CERTIFICATE" in pem


def test_the_old_cipher_of_efis_own_p12_is_read(tmp_path: Path, certificates: Certificates) -> None:
    """OpenSSL 3 writes and reads RC2-40 with its legacy provider only; `cryptography` needs none."""
    p12 = tmp_path / "efi.p12"
    command = ["openssl", "pkcs12", "-export", "-legacy", "-passout", "pass:", "-out", str(p12)]
    ciphers = ["-keypbe", "PBE-SHA1-RC2-40", "-certpbe", "PBE-SHA1-RC2-40"]
    files = ["-inkey", str(certificates.client.key), "-in", str(certificates.client.cert)]
    made = subprocess.run([*command, *ciphers, *files], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"no openssl with the legacy provider: {made.stderr[-200:]}")
    assert b"PRIVATE KEY" in pem_of(p12.read_bytes())
    client_context(certificate_file=p12, ca_file=certificates.ca)


@pytest.mark.parametrize("data", [b"", b"neither"])
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(BadCertificate):
        pem_of(data)


def test_a_p12_without_its_key_is_refused(certificates: Certificates) -> None:
    with pytest.raises(BadCertificate, match="lacks"):
        pem_of(_p12(certificates, with_key=False))


def test_a_certificate_without_its_key_is_refused(tmp_path: Path, certificates: Certificates) -> None:
    with pytest.raises(BadCertificate, match="do not load"):
        client_context(certificate_file=certificates.client.cert, ca_file=certificates.ca)


def test_no_key_is_left_on_disk(
    tmp_path: Path, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    pem = tmp_path / "client.pem"
    pem.write_bytes(_pem(certificates))
    modes: list[int] = []
    load = ssl.SSLContext.load_cert_chain

    def look(context: ssl.SSLContext, name: str) -> None:
        modes.append(Path(name).stat().st_mode & 0o777)
        load(context, name)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", look)
    client_context(certificate_file=pem, ca_file=certificates.ca)
    assert modes == [0o600]
    assert list(tmp_path.iterdir()) == [pem]
