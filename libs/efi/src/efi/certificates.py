"""Our client certificate for mTLS, from PEM or from the `.p12` that Efí hands out.

The `.p12` files use RC2-40, which OpenSSL 3 refuses without its legacy provider; `cryptography` reads them.
"""

import os
import ssl
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

Fingerprint = tuple[tuple[str, int, int, int], ...]


class BadCertificate(ValueError):
    """The certificate file is neither PEM with its key nor a p12 with an empty passphrase."""


def fingerprint(paths: Sequence[Path | None]) -> Fingerprint:
    """What changes when any of the files is written or replaced."""
    stats = [(str(path), path.stat()) for path in paths if path is not None]
    return tuple((name, stat.st_mtime_ns, stat.st_size, stat.st_ino) for name, stat in stats)


def client_context(*, certificate_file: Path, ca_file: Path | None) -> ssl.SSLContext:
    """A TLS 1.2+ context that presents `certificate_file` and verifies by `ca_file` (or the system)."""
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(context, pem_of(certificate_file.read_bytes()))
    return context


def pem_of(data: bytes) -> bytes:
    """PEM (key, certificate, chain) of a PEM or p12 file's content."""
    if b"-----BEGIN" in data:
        return data
    try:
        bundle = load_pkcs12(data, None)
    except ValueError as error:
        raise BadCertificate("neither PEM nor a p12 without a passphrase") from error
    if bundle.key is None or bundle.cert is None:
        raise BadCertificate("the p12 lacks the key or the certificate")
    key = bundle.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain = (bundle.cert, *bundle.additional_certs)
    return key + b"".join(one.certificate.public_bytes(Encoding.PEM) for one in chain)


def _load(context: ssl.SSLContext, pem: bytes) -> None:
    # `ssl` only loads from a path; mkstemp makes the file 0600, and it is gone before this returns.
    handle, name = tempfile.mkstemp(suffix=".pem")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
        context.load_cert_chain(name)
    except ssl.SSLError as error:
        raise BadCertificate(f"the certificate and its key do not load: {error.reason}") from error
    finally:
        Path(name).unlink()
