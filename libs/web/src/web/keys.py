"""Where a token's public key comes from: never from the token."""

import asyncio
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, Final, Protocol

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from kernel.refusals import Unavailable
from telemetry import get_logger

log = get_logger(__name__)

REFETCH_S: Final = 10
REFRESH_S: Final = 300
_TIMEOUT_S: Final = 2.0
# 2048 bits in base64url.
_MIN_MODULUS: Final = 342


class KeySource(Protocol):
    """Finds a public RSA key by its id."""

    async def find(self, key_id: str) -> RSAKey | None: ...

    async def close(self) -> None: ...


class StaticKeys:
    """Keys of a JWKS that never changes."""

    def __init__(self, jwks: Mapping[str, Any]) -> None:
        self._keys = read_jwks(jwks)

    async def find(self, key_id: str) -> RSAKey | None:
        """The key, or None."""
        return self._keys.get(key_id)

    async def close(self) -> None:
        """Nothing is open."""


class RemoteKeys:
    """Keys that identity publishes.

    An unknown key id causes at most one fetch every 10 s, however many such tokens arrive; known keys are
    refreshed every 5 minutes. While identity is down the last known keys serve. Before any key is known,
    `find` raises Unavailable: nobody can say whether the token is good.
    """

    def __init__(
        self,
        jwks_url: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        time: Callable[[], float] = monotonic,
    ) -> None:
        self._url = jwks_url
        self._transport = transport
        self._time = time
        self._client: httpx.AsyncClient | None = None
        self._keys: dict[str, RSAKey] = {}
        self._tried_at = -float("inf")
        self._fetching = asyncio.Lock()

    async def find(self, key_id: str) -> RSAKey | None:
        """The key, or None when identity does not publish it. Raises Unavailable before any key is known."""
        age_s = self._time() - self._tried_at
        known = self._keys.get(key_id)
        if age_s >= REFRESH_S or (known is None and age_s >= REFETCH_S):
            await self._fetch_once()
            known = self._keys.get(key_id)
        elif known is None and self._fetching.locked():
            # The fetch that will bring this key is on its way.
            async with self._fetching:
                known = self._keys.get(key_id)
        if not self._keys:
            raise Unavailable("identity's keys are not known yet")
        return known

    async def close(self) -> None:
        """Close the HTTP client."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _fetch_once(self) -> None:
        before = self._tried_at
        async with self._fetching:
            if self._tried_at != before:
                return
            self._tried_at = self._time()
            try:
                self._keys = await self._fetch()
            except (httpx.HTTPError, ValueError, JoseError) as error:
                log.warning("jwks_not_fetched", reason=type(error).__name__, known=len(self._keys))
                if not self._keys:
                    # Nothing to serve yet: the next request may try again in a second.
                    self._tried_at = self._time() - REFETCH_S + 1

    async def _fetch(self) -> dict[str, RSAKey]:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=_TIMEOUT_S, transport=self._transport)
        response = await self._client.get(self._url)
        response.raise_for_status()
        keys = read_jwks(response.json())
        if not keys:
            raise ValueError("the JWKS holds no usable key")
        return keys


def read_jwks(jwks: Any) -> dict[str, RSAKey]:
    """The usable keys of a JWKS by id: RSA, at least 2048 bits, for RS256 signatures, public parts only.

    Others are passed over, as RFC 7517 asks. Raises ValueError when it is no JWKS at all.
    """
    listed = jwks.get("keys") if isinstance(jwks, Mapping) else None
    if not isinstance(listed, list):
        raise ValueError("not a JWKS")
    keys = ((jwk["kid"], _read_key(jwk)) for jwk in listed if _is_for_tokens(jwk))
    return {key_id: key for key_id, key in keys if key is not None}


def _is_for_tokens(jwk: Any) -> bool:
    if not isinstance(jwk, Mapping) or not isinstance(jwk.get("kid"), str):
        return False
    return jwk.get("kty") == "RSA" and jwk.get("use", "sig") == "sig" and jwk.get("alg", "RS256") == "RS256"


def _read_key(jwk: Mapping[str, Any]) -> RSAKey | None:
    modulus, exponent = jwk.get("n"), jwk.get("e")
    if not isinstance(modulus, str) or not isinstance(exponent, str) or len(modulus) < _MIN_MODULUS:
        return None
    try:
        return RSAKey.import_key({"kty": "RSA", "n": modulus, "e": exponent})
    except (JoseError, ValueError):
        return None
