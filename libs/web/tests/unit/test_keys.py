"""Identity's keys: fetched rarely, kept while identity is away."""

import asyncio
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey

from kernel.refusals import Unavailable
from web.keys import REFETCH_S, REFRESH_S, RemoteKeys

URL = "http://identity/.well-known/jwks.json"


class Identity:
    """Publishes keys, counts the questions, and can be down."""

    def __init__(self, *key_ids: str) -> None:
        self.asked = 0
        self.down = False
        self.answer: Any = None
        self.keys: dict[str, Any] = {}
        for key_id in key_ids:
            self.publish(key_id)

    def publish(self, key_id: str) -> None:
        key = RSAKey.generate_key(2048, parameters={"kid": key_id, "use": "sig", "alg": "RS256"})
        self.keys[key_id] = key.as_dict(private=False)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        await asyncio.sleep(0)
        if self.down:
            raise httpx.ConnectError("down", request=request)
        if self.answer is not None:
            return httpx.Response(200, json=self.answer)
        return httpx.Response(200, json={"keys": list(self.keys.values())})


class Seconds:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def keys_of(identity: Identity) -> tuple[RemoteKeys, Seconds]:
    seconds = Seconds()
    return RemoteKeys(URL, transport=httpx.MockTransport(identity), time=seconds), seconds


async def test_a_key_is_fetched_once_and_kept() -> None:
    identity = Identity("a")
    keys, _ = keys_of(identity)

    found = [await keys.find("a") for _ in range(5)]

    assert all(key is not None for key in found)
    assert identity.asked == 1
    await keys.close()


async def test_a_flood_of_unknown_ids_asks_once_in_ten_seconds() -> None:
    identity = Identity("a")
    keys, seconds = keys_of(identity)
    await keys.find("a")
    seconds.now += REFETCH_S

    found = await asyncio.gather(*(keys.find(f"evil-{number}") for number in range(200)))
    assert not any(found)
    assert identity.asked == 2

    seconds.now += REFETCH_S - 0.1
    await keys.find("evil")
    assert identity.asked == 2
    await keys.close()


async def test_a_new_key_is_found_by_whoever_asks_for_it_first() -> None:
    identity = Identity("a")
    keys, seconds = keys_of(identity)
    await keys.find("a")
    identity.publish("b")
    seconds.now += REFETCH_S

    found = await asyncio.gather(*(keys.find("b") for _ in range(20)))

    assert all(found)
    assert identity.asked == 2
    await keys.close()


async def test_known_keys_serve_while_identity_is_down() -> None:
    identity = Identity("a")
    keys, seconds = keys_of(identity)
    await keys.find("a")
    identity.down = True
    seconds.now += REFRESH_S * 10

    assert await keys.find("a") is not None
    assert await keys.find("unknown") is None
    await keys.close()


@pytest.mark.parametrize(
    "answer", [{"keys": []}, {"keys": [{"kty": "RSA"}]}, {}, [], "x", {"keys": 7}, {"keys": ["x"]}]
)
async def test_a_senseless_answer_does_not_replace_good_keys(answer: Any) -> None:
    identity = Identity("a")
    keys, seconds = keys_of(identity)
    await keys.find("a")
    identity.answer = answer
    seconds.now += REFRESH_S

    assert await keys.find("a") is not None
    await keys.close()


async def test_a_withdrawn_key_is_forgotten_with_the_next_refresh() -> None:
    identity = Identity("a", "b")
    keys, seconds = keys_of(identity)
    assert await keys.find("a") is not None
    del identity.keys["a"]
    seconds.now += REFRESH_S

    assert await keys.find("a") is None
    assert await keys.find("b") is not None
    await keys.close()


async def test_before_any_key_is_known_nobody_can_be_judged() -> None:
    identity = Identity("a")
    identity.down = True
    keys, seconds = keys_of(identity)
    with pytest.raises(Unavailable):
        await keys.find("a")

    identity.down = False
    seconds.now += 1.1

    assert await keys.find("a") is not None
    await keys.close()
