"""A certificate authority for development and tests: makes certificates, signs nothing that leaves the
machine.
"""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFE = timedelta(days=825)


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """PEM files: a certificate and its private key."""

    cert: Path
    key: Path


class Authority:
    """Signs certificates into files. Keys are P-256 and readable by their owner only."""

    def __init__(self, folder: Path, *, name: str = "Ibora development CA") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.ca = folder / "ca.pem"
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.ca.write_bytes(_pem(self._certify_itself()))

    def server(
        self, name: str = "server", *, hosts: tuple[str, ...] = ("localhost", "127.0.0.1")
    ) -> CertificateFiles:
        """A certificate for TLS servers at these host names and addresses."""
        names = [_general_name(host) for host in hosts]
        return self._issue(name, common_name=hosts[0], usage=ExtendedKeyUsageOID.SERVER_AUTH, names=names)

    def client(
        self, name: str = "client", *, common_name: str = "client", expired: bool = False
    ) -> CertificateFiles:
        """A certificate for TLS clients; `expired` makes one that was valid until yesterday."""
        usage = ExtendedKeyUsageOID.CLIENT_AUTH
        return self._issue(name, common_name=common_name, usage=usage, expired=expired)

    def _issue(
        self,
        name: str,
        *,
        common_name: str,
        usage: x509.ObjectIdentifier,
        names: list[x509.GeneralName] | None = None,
        expired: bool = False,
    ) -> CertificateFiles:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "BR"),
                x509.NameAttribute(NameOID.COMMON_NAME, common_name),
            ]
        )
        builder = (
            self._builder(subject, key.public_key(), expired=expired)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        files = CertificateFiles(self.folder / f"{name}.pem", self.folder / f"{name}-key.pem")
        files.cert.write_bytes(_pem(builder.sign(self._key, hashes.SHA256())))
        _write_key(files.key, key)
        return files

    def _certify_itself(self) -> x509.Certificate:
        builder = self._builder(self._name, self._key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_key_usage(signs_certificates=True), critical=True)
        return builder.sign(self._key, hashes.SHA256())

    def _builder(
        self, subject: x509.Name, public_key: ec.EllipticCurvePublicKey, *, expired: bool = False
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        start, end = (
            (now - _LIFE, now - timedelta(days=1)) if expired else (now - timedelta(hours=1), now + _LIFE)
        )
        # Python's strict verification (3.13 and later) asks for both key identifiers.
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
