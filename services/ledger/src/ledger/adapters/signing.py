"""Ed25519 signatures of anchors, for whoever keeps the log and not the database."""

from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

_UNSIGNED = "unsigned"


class BadSignature(ValueError):
    """The line is not signed with this key, or it was changed since."""


class NoKey(ValueError):
    """The key file holds no Ed25519 key that can do this."""


def signed(line: str, *, key_file: Path | None) -> str:
    """The line and its signature in hex; the word "unsigned" in its place without a key."""
    if key_file is None:
        return f"{line}:{_UNSIGNED}"
    key = load_pem_private_key(key_file.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise NoKey(f"{key_file.name} is no Ed25519 private key")
    return f"{line}:{key.sign(line.encode()).hex()}"


def checked(text: str, *, key_file: Path | None) -> str:
    """The line of `text` without its signature; BadSignature when it is not signed with the key."""
    line, _, signature = text.strip().rpartition(":")
    if key_file is None:
        raise NoKey("ANCHOR_KEY_FILE names the key that signed anchors are checked with")
    try:
        _public(key_file).verify(bytes.fromhex(signature), line.encode())
    except (InvalidSignature, ValueError) as error:
        raise BadSignature(line) from error
    return line


def _public(key_file: Path) -> Ed25519PublicKey:
    pem = key_file.read_bytes()
    key = load_pem_public_key(pem) if b"PUBLIC KEY" in pem else load_pem_private_key(pem, None).public_key()
    if not isinstance(key, Ed25519PublicKey):
        raise NoKey(f"{key_file.name} is no Ed25519 key")
    return key
