"""The simulated bank's control door: paying, and making the bank misbehave."""

from typing import Any

import aiohttp


class Bank:
    def __init__(self, control: str) -> None:
        # A payment cannot be repeated, so it must not meet a kept connection that the bank is just closing.
        self._session = aiohttp.ClientSession(control, connector=aiohttp.TCPConnector(force_close=True))

    async def close(self) -> None:
        await self._session.close()

    async def pay(self, txid: str, **options: Any) -> str:
        """Pay a charge as its payer; answers the endToEndId. Options: amount, payer_cpf, force."""
        return str((await self._post(f"/_control/charges/{txid}/pay", options))["endToEndId"])

    async def receive(self, amount: str, *, txid: str) -> str:
        """A Pix to a static code of our key, outside any charge; answers the endToEndId."""
        return str((await self._post("/_control/pix", {"amount": amount, "txid": txid}))["endToEndId"])

    async def webhooks(self, mode: str, *, count: int = 1, **options: Any) -> None:
        await self._post("/_control/webhooks", {"mode": mode, "count": count, **options})

    async def sends(self, mode: str, *, count: int = 1) -> None:
        await self._post("/_control/sends", {"mode": mode, "count": count})

    async def refunds(self, mode: str, *, count: int = 1) -> None:
        await self._post("/_control/refunds", {"mode": mode, "count": count})

    async def give_back(self, id_envio: str, amount: str) -> None:
        """The receiver of a send returns a part of it."""
        await self._post(f"/_control/sends/{id_envio}/return", {"valor": amount})

    async def forge(self, *items: dict[str, Any]) -> None:
        """A webhook with Efí's certificate that says what Efí would not."""
        answer = await self._post("/_control/webhooks/forge", {"pix": list(items)})
        assert answer["status"] == 200, answer

    async def api(self, mode: str, *, count: int = 1, **options: Any) -> None:
        await self._post("/_control/api", {"mode": mode, "count": count, **options})

    async def state(self) -> dict[str, Any]:
        async with self._session.get("/_control/state") as response:
            response.raise_for_status()
            state: dict[str, Any] = await response.json()
            return state

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        async with self._session.post(path, json=body) as response:
            if response.status >= 400:
                raise AssertionError(f"the bank answered {response.status}: {await response.text()}")
            answer: dict[str, Any] = await response.json()
            return answer
