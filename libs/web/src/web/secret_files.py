"""Secrets are files: read again when they change, so that rotating one needs no restart."""

from pathlib import Path


class SecretFile:
    """One secret in a file; surrounding white space does not belong to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: tuple[int, int, int] | None = None
        self._value = ""

    def value(self) -> str:
        """The secret as it is now. Raises OSError when there is no file, ValueError when it is empty."""
        status = self.path.stat()
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        if stamp != self._stamp:
            self._value = self.path.read_text().strip()
            self._stamp = stamp
        if not self._value:
            raise ValueError(f"the secret file {self.path.name} is empty")
        return self._value

    def __repr__(self) -> str:
        return f"SecretFile({self.path.name})"


def read_secret(path: Path) -> str:
    """The secret in a file, read once."""
    return SecretFile(path).value()
