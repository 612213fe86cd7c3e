"""Certificates for tests of mutual TLS: good ones, and each way to be wrong."""

from pathlib import Path

from devstack.authority import Authority, CertificateFiles


class Certificates:
    """Files below one folder. `ca` verifies `server` and `client`; nothing of `other_ca` may be trusted."""

    def __init__(self, folder: Path) -> None:
        self._authority = Authority(folder / "trusted", name="Ibora test CA")
        self._other = Authority(folder / "unrelated", name="Unrelated CA")
        self.ca: Path = self._authority.ca
        self.other_ca: Path = self._other.ca
        self.server: CertificateFiles = self._authority.server()
        self.client: CertificateFiles = self._authority.client()
        self.stranger: CertificateFiles = self._other.client("stranger", common_name="client")
        self.expired: CertificateFiles = self._authority.client("expired", expired=True)

    def client_named(self, common_name: str) -> CertificateFiles:
        """A trusted client certificate whose subject's CN is `common_name`."""
        return self._authority.client(f"client-{common_name}", common_name=common_name)

    def stranger_named(self, common_name: str) -> CertificateFiles:
        """A client certificate with that CN from an authority that nobody here trusts."""
        return self._other.client(f"stranger-{common_name}", common_name=common_name)
