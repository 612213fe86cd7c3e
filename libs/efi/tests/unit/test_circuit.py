"""A host that keeps failing is left alone, then tried by one request."""

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from efi_fakes import Answer, ScriptedEfi, client_of, json_answer, refusal
from prometheus_client import REGISTRY

from efi import EfiCircuitOpen, EfiClient, EfiError, EfiRefused, EfiUnknown
from efi.circuit import Circuit, State

BALANCE = {"saldo": "1.00"}


@dataclass
class Watch:
    """Seconds that only the test moves."""

    at: float = 1000.0

    def __call__(self) -> float:
        return self.at


def client_with(efi: ScriptedEfi, folder: Path, watch: Watch) -> EfiClient:
    return client_of(
        efi, folder, monotonic=watch, efi_attempts=1, efi_circuit_failures=3, efi_circuit_open_s=5.0
    )


async def ask(client: EfiClient, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(EfiError):
            await client.balance()


def state() -> float | None:
    return REGISTRY.get_sample_value("efi_circuit_state", {"host": "efi.invalid"})


FAILURES = [httpx.ConnectError(""), httpx.ReadTimeout(""), httpx.Response(500), httpx.Response(503)]


@pytest.mark.parametrize("failure", FAILURES, ids=repr)
async def test_failures_in_a_row_leave_the_host_alone(
    tmp_path: Path, failure: httpx.Response | Exception
) -> None:
    efi, watch = ScriptedEfi([failure] * 3), Watch()
    async with client_with(efi, tmp_path, watch) as client:
        await ask(client, 3)
        assert state() == 2
        with pytest.raises(EfiCircuitOpen) as left_alone:
            await client.balance()
    assert len(efi.requests) == 3
    assert left_alone.value.retry_after_s == 5.0


ANSWERS = [
    refusal("valor_invalido"),
    httpx.Response(404),
    httpx.Response(429),
    json_answer({"error": "insufficient_scope"}, 403),
]


@pytest.mark.parametrize("answer", ANSWERS, ids=repr)
async def test_an_answer_of_any_kind_is_a_sign_of_life(tmp_path: Path, answer: httpx.Response) -> None:
    script: list[Answer] = [*[httpx.Response(500)] * 2, answer, *[httpx.Response(500)] * 2, answer]
    efi = ScriptedEfi(script)
    async with client_with(efi, tmp_path, Watch()) as client:
        await ask(client, 6)
    assert len(efi.requests) == 6
    assert state() == 0


async def test_one_request_tries_the_host_again_and_closes_the_circuit(tmp_path: Path) -> None:
    efi, watch = ScriptedEfi([httpx.Response(500)] * 3), Watch()
    async with client_with(efi, tmp_path, watch) as client:
        await ask(client, 3)
        watch.at += 4.9
        await ask(client)
        assert len(efi.requests) == 3
        watch.at += 0.1
        seen: list[float | None] = []

        def well_again(_: httpx.Request) -> httpx.Response:
            seen.append(state())
            return json_answer(BALANCE)

        efi.script = [well_again, json_answer(BALANCE)]
        assert await client.balance() == Decimal("1.00")
        assert seen == [1]
        assert state() == 0
        assert await client.balance() == Decimal("1.00")


async def test_a_failed_trial_opens_the_circuit_for_as_long_again(tmp_path: Path) -> None:
    efi, watch = ScriptedEfi([httpx.Response(500)] * 4), Watch()
    async with client_with(efi, tmp_path, watch) as client:
        await ask(client, 3)
        watch.at += 5
        await ask(client)
        assert state() == 2
        watch.at += 4.9
        with pytest.raises(EfiCircuitOpen):
            await client.balance()
    assert len(efi.requests) == 4


def opened(watch: Watch) -> Circuit:
    """A circuit that may just be tried again."""
    circuit = Circuit("efi.invalid", failures=1, open_s=5.0, monotonic=watch)
    with pytest.raises(EfiUnknown), circuit.guard():
        raise EfiUnknown("ReadTimeout")
    watch.at += 5
    return circuit


def test_only_one_request_is_let_through_at_a_time() -> None:
    circuit = opened(Watch())
    with circuit.guard():
        assert circuit.state is State.HALF_OPEN
        with pytest.raises(EfiCircuitOpen), circuit.guard():
            pytest.fail("a second request went out")
    assert circuit.state is State.CLOSED


def test_a_canceled_trial_lets_the_next_one_try() -> None:
    circuit = opened(Watch())
    with pytest.raises(asyncio.CancelledError), circuit.guard():
        raise asyncio.CancelledError
    assert circuit.state is State.OPEN
    with circuit.guard():
        assert circuit.state is State.HALF_OPEN
    assert circuit.state is State.CLOSED


async def test_a_login_that_fails_counts_too(tmp_path: Path) -> None:
    efi = ScriptedEfi(tokens=[httpx.ConnectError("")] * 3)
    async with client_with(efi, tmp_path, Watch()) as client:
        await ask(client, 4)
    assert len(efi.logins) == 3


async def test_an_open_circuit_is_not_waited_for(tmp_path: Path) -> None:
    efi = ScriptedEfi([httpx.Response(500)] * 3)
    async with client_of(efi, tmp_path, monotonic=Watch(), efi_attempts=5, efi_circuit_failures=3) as client:
        with pytest.raises(EfiCircuitOpen):
            await client.balance()
    assert len(efi.requests) == 3


async def test_our_own_broken_files_say_nothing_about_the_host(tmp_path: Path) -> None:
    efi = ScriptedEfi([json_answer(BALANCE)])
    async with client_with(efi, tmp_path, Watch()) as client:
        credentials = (tmp_path / "credentials.json").read_text()
        (tmp_path / "credentials.json").unlink()
        await ask(client, 5)
        (tmp_path / "credentials.json").write_text(credentials)
        assert await client.balance() == Decimal("1.00")


async def test_a_refusal_while_others_fail_is_still_a_refusal(tmp_path: Path) -> None:
    efi = ScriptedEfi([httpx.Response(500), refusal("valor_invalido", 422)])
    async with client_with(efi, tmp_path, Watch()) as client:
        await ask(client)
        with pytest.raises(EfiRefused, match="valor_invalido"):
            await client.balance()
