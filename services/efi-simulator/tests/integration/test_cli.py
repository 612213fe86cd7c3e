"""`ibora efi …` against a simulator that runs by itself: register, listen, trigger."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from simulator_fakes import DRIVER_KEY, KEY, Receiver, Running, receiving, running

from devstack.cli import main
from devstack.efi_control import NotDone, txid_of_ride
from testkit import eventually
from testkit.certificates import Certificates


@pytest.fixture
async def simulator(tmp_path: Path, certificates: Certificates) -> AsyncIterator[Running]:
    async with running(tmp_path, certificates) as one:
        yield one


@pytest.fixture
async def receiver(certificates: Certificates) -> AsyncIterator[Receiver]:
    async with receiving(certificates) as one:
        yield one


@dataclass
class Shell:
    """Runs `ibora efi …` as somebody would who has the account in the environment and no stack."""

    simulator: Running
    capsys: pytest.CaptureFixture[str]

    @property
    def control(self) -> str:
        return str(self.simulator.control.base_url)

    async def run(self, *words: str) -> tuple[int, str]:
        """The exit code and what was printed."""
        where = ["--control", self.control] if words[0] in ("trigger", "listen") else []
        code = await asyncio.to_thread(main, ["efi", words[0], *where, *words[1:]])
        return code, self.capsys.readouterr().out

    async def ok(self, *words: str) -> str:
        code, said = await self.run(*words)
        assert code == 0, said
        return said

    async def state(self) -> dict[str, Any]:
        return await self.simulator.state()


@pytest.fixture
def shell(
    simulator: Running,
    tmp_path: Path,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Shell:
    client = simulator.client()  # writes the bundle
    del client
    for name, value in {
        "IBORA_STACK_FOLDER": str(tmp_path / "no-stack"),
        "EFI_BASE_URL": simulator.api_url,
        "EFI_CREDENTIALS_FILE": str(tmp_path / "credentials.json"),
        "EFI_CERTIFICATE_FILE": str(tmp_path / "bundle.pem"),
        "EFI_CA_FILE": str(certificates.ca),
        "EFI_PIX_KEY": KEY,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("WEBHOOK_URL", raising=False)
    return Shell(simulator, capsys)


async def test_a_webhook_is_registered(shell: Shell, receiver: Receiver) -> None:
    assert receiver.url in await shell.ok("register-webhook", "--url", receiver.url)
    assert shell.simulator.bank.webhooks[KEY].url == receiver.url
    assert len(receiver.got) == 1


async def test_efis_own_words_are_told_when_it_refuses(shell: Shell, certificates: Certificates) -> None:
    async with receiving(certificates, demand_certificate=False) as careless:
        code, said = await shell.run("register-webhook", careless.url)
        assert code == 1
        assert (
            "A URL informada aceitou uma requisição sem o certificado da Efí (mTLS). (webhook_invalido)"
            in said
        )
        await shell.ok("register-webhook", careless.url, "--skip-mtls")
    code, said = await shell.run("register-webhook", careless.url, "--key", "other@example.com")
    assert (code, "chave_invalida" in said) == (1, True)


async def test_without_a_url_it_says_what_is_missing(shell: Shell) -> None:
    code, said = await shell.run("register-webhook")
    assert (code, "--url" in said) == (1, True)


async def test_without_an_account_it_says_what_is_missing(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EFI_BASE_URL")
    code, said = await shell.run("balance")
    assert (code, "EFI_BASE_URL" in said) == (1, True)


async def test_without_a_stack_a_trigger_says_so(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    assert await asyncio.to_thread(main, ["efi", "trigger", "payment.paid"]) == 1
    assert "no stack runs" in capsys.readouterr().err


TXID = "0123456789abcdef0123456789abcdef"


async def charged(shell: Shell, amount: str = "25.00") -> None:
    async with shell.simulator.client() as client:
        await client.create_charge(TXID, amount=Decimal(amount), expires_s=3600)


@pytest.mark.parametrize(
    ("words", "paid"),
    [
        (["payment.paid"], ["25.00"]),
        (["payment.paid", "--amount", "7.50"], ["7.50"]),
        (["payment.short"], ["24.00"]),
        (["payment.surplus"], ["26.00"]),
        (["payment.duplicate"], ["25.00", "25.00"]),
        (["payment.unknown", "--amount", "3.00"], ["3.00"]),
    ],
)
async def test_a_payment_arrives_as_it_was_triggered(shell: Shell, words: list[str], paid: list[str]) -> None:
    await shell.ok("trigger", *words)
    assert [one["valor"] for one in (await shell.state())["received"]] == paid


@pytest.mark.parametrize(
    ("words", "paid"),
    [
        (["payment.paid"], ["25.00"]),
        (["payment.paid", "--amount", "7.50"], ["7.50"]),
        (["payment.short"], ["24.00"]),
        (["payment.surplus"], ["26.00"]),
        (["payment.duplicate"], ["25.00", "25.00"]),
    ],
)
async def test_a_charge_that_is_named_is_paid(shell: Shell, words: list[str], paid: list[str]) -> None:
    await charged(shell)
    await shell.ok("trigger", *words, "--txid", TXID)
    received = (await shell.state())["received"]
    assert [(one["txid"], one["valor"]) for one in received] == [(TXID, amount) for amount in paid]


async def test_a_paid_charge_is_paid_once_more_only(shell: Shell) -> None:
    await charged(shell)
    await shell.ok("trigger", "payment.paid", "--txid", TXID)
    code, said = await shell.run("trigger", "payment.paid", "--txid", TXID)
    assert (code, "409" in said) == (1, True)
    await shell.ok("trigger", "payment.duplicate", "--txid", TXID)
    assert len((await shell.state())["received"]) == 2


async def test_a_removed_charge_is_paid_late(shell: Shell) -> None:
    await charged(shell)
    async with shell.simulator.client() as client:
        await client.remove_charge(TXID)
    assert (await shell.run("trigger", "payment.paid", "--txid", TXID))[0] == 1
    await shell.ok("trigger", "payment.late", "--txid", TXID)
    assert len((await shell.state())["received"]) == 1


async def test_what_does_not_exist_is_said_to_be_so(shell: Shell) -> None:
    for words in (["payment.paid", "--txid", TXID], ["payment.refunded"], ["payout.returned"]):
        code, said = await shell.run("trigger", *words)
        assert (code, said.startswith("✗ no ")) == (1, True)


async def test_a_payment_is_refunded_outside_the_api(shell: Shell) -> None:
    await charged(shell)
    await shell.ok("trigger", "payment.paid", "--txid", TXID)
    await shell.ok("trigger", "payment.unknown")
    await shell.ok("trigger", "payment.refunded", "--txid", TXID, "--amount", "5.00")
    state = await shell.state()
    assert [(one["endToEndId"], one["valor"]) for one in state["refunds"]] == [
        (state["received"][0]["endToEndId"], "5.00")
    ]


async def sent(shell: Shell, receiver: Receiver) -> None:
    async with shell.simulator.client() as client:
        await client.register_webhook(receiver.url)
        await client.send("envio1", amount=Decimal("10.00"), key=DRIVER_KEY)
    await eventually(lambda: len(receiver.items()) == 1)


async def test_a_payout_comes_back_and_is_contradicted(shell: Shell, receiver: Receiver) -> None:
    await sent(shell, receiver)
    await shell.ok("trigger", "payout.returned", "--amount", "4.00")
    await shell.ok("trigger", "payout.returned", "--send", "envio1")
    assert [one["valor"] for one in (await shell.state())["returns"]] == ["4.00", "6.00"]
    await shell.ok("trigger", "payout.contradicted")
    await eventually(lambda: receiver.items()[-1]["status"] == "NAO_REALIZADO")


@pytest.mark.parametrize(
    ("event", "mode_of", "mode"),
    [
        ("payout.denied", lambda deps: deps.bank.send_mode, "reject"),
        ("payout.rejected", lambda deps: deps.bank.send_mode, "reject_later"),
        ("payout.lost", lambda deps: deps.bank.send_mode, "timeout_after"),
        ("payout.swallowed", lambda deps: deps.bank.send_mode, "timeout_before"),
        ("refund.rejected", lambda deps: deps.bank.refund_mode, "reject_later"),
        ("refund.contradicted", lambda deps: deps.bank.refund_mode, "contradict"),
        ("webhook.dropped", lambda deps: deps.webhook_mode, "drop"),
        ("webhook.duplicated", lambda deps: deps.webhook_mode, "duplicate"),
    ],
)
async def test_what_comes_next_is_arranged(
    shell: Shell, event: str, mode_of: Callable[[Any], Any], mode: str
) -> None:
    await shell.ok("trigger", event)
    found = mode_of(shell.simulator.app.state.deps)
    assert (found.current, found.left) == (mode, 1)


async def test_each_webhook_is_printed_as_it_goes_out_and_forwarded(
    shell: Shell, receiver: Receiver, certificates: Certificates
) -> None:
    await shell.ok("register-webhook", receiver.url)
    receiver.statuses = [503]
    command = [sys.executable, "-m", "devstack.cli", "efi", "listen", "--control", shell.control]
    async with receiving(certificates, demand_certificate=False) as mine:
        environment = os.environ | {"SSL_CERT_FILE": str(certificates.ca)}
        listener = await asyncio.create_subprocess_exec(
            *command,
            "--forward-to",
            mine.url,
            "--count",
            "2",
            stdout=asyncio.subprocess.PIPE,
            env=environment,
        )
        assert listener.stdout is not None
        assert b"listening" in await asyncio.wait_for(listener.stdout.readline(), 60)
        e2e_id = (await shell.simulator.order("pix", amount="25.00", payer_cpf="52998224725"))["endToEndId"]
        said, _ = await asyncio.wait_for(listener.communicate(), 30)
    first, forwarded, second, _ = said.decode().splitlines()
    assert f"--> pix.received [{e2e_id}] 25.00 → 503 [" in first
    assert first.startswith("20")
    assert f"forwarded to {mine.url} → 200 [" in forwarded
    assert f"--> pix.received [{e2e_id}] 25.00 → 200 [" in second
    assert second.endswith("attempt 2")
    assert [body["pix"][0]["endToEndId"] for _, body in mine.got] == [e2e_id] * 2
    for secret in (KEY, "52998224725", "982.247", "Pagador"):
        assert secret not in said.decode()


def gateway(payment: dict[str, Any], status: int = 200) -> httpx.AsyncClient:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/auth/login":
            return httpx.Response(200, json={"access_token": "t"})
        assert request.headers["Authorization"] == "Bearer t"
        assert request.url.path == "/v1/rides/ride1/payment"
        return httpx.Response(status, json=payment)

    return httpx.AsyncClient(base_url="http://gateway.invalid", transport=httpx.MockTransport(answer))


async def test_a_ride_is_known_by_its_charge() -> None:
    async with gateway({"pix": {"txid": TXID}}) as client:
        assert await txid_of_ride(client, "ride1", admin={"login": "a", "password": "p"}) == TXID


@pytest.mark.parametrize(("payment", "status"), [({"pix": None}, 200), ({"code": "not_found"}, 404)])
async def test_a_ride_without_a_charge_is_said_to_be_so(payment: dict[str, Any], status: int) -> None:
    async with gateway(payment, status) as client:
        with pytest.raises(NotDone):
            await txid_of_ride(client, "ride1", admin={"login": "a", "password": "p"})
