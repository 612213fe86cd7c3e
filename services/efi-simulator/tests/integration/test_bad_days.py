"""What our client makes of an Efí that has a bad day, over real HTTP and mutual TLS."""

import asyncio
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import NoEncryption, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509 import load_pem_x509_certificate
from prometheus_client import REGISTRY
from simulator_fakes import DRIVER_KEY, TXID, Receiver, Running, receiving, running

from efi import EfiCircuitOpen, EfiClient, EfiError, EfiThrottled, EfiUnknown, SendStatus
from testkit import eventually
from testkit.certificates import Certificates

BALANCE = Decimal("1000.00")


@pytest.fixture
async def simulator(tmp_path: Path, certificates: Certificates) -> AsyncIterator[Running]:
    async with running(tmp_path, certificates) as one:
        yield one


@pytest.fixture
async def client(simulator: Running) -> AsyncIterator[EfiClient]:
    async with simulator.client() as one:
        await one.balance()
        yield one


@pytest.fixture
async def receiver(certificates: Certificates, client: EfiClient) -> AsyncIterator[Receiver]:
    async with receiving(certificates) as one:
        await client.register_webhook(one.url)
        one.got.clear()
        yield one


@pytest.mark.parametrize("mode", ["down", "error_500", "html_502", "throttled", "cut"])
async def test_a_query_gets_over_it(simulator: Running, client: EfiClient, mode: str) -> None:
    await simulator.order("api", mode=mode, count=2)
    assert await client.balance() == BALANCE


@pytest.mark.parametrize("mode", ["down", "error_500", "html_502", "cut"])
async def test_a_charge_is_made_once_whatever_happens(
    simulator: Running, client: EfiClient, mode: str
) -> None:
    await simulator.order("api", mode=mode, count=1)
    charge = await client.create_charge(TXID, amount=Decimal("5.00"), expires_s=60)
    assert charge.txid == TXID
    assert len((await simulator.state())["charges"]) == 1


@pytest.mark.parametrize(("mode", "sends"), [("down", 0), ("error_500", 0), ("html_502", 0), ("cut", 1)])
async def test_a_send_is_unknown_until_it_is_asked_for(
    simulator: Running, client: EfiClient, receiver: Receiver, mode: str, sends: int
) -> None:
    await simulator.order("api", mode=mode, count=1)
    with pytest.raises(EfiUnknown):
        await client.send("envio1", amount=Decimal("1.00"), key=DRIVER_KEY)
    assert len((await simulator.state())["sends"]) == sends
    again = await client.send("envio1", amount=Decimal("1.00"), key=DRIVER_KEY)
    assert again.status in (SendStatus.PROCESSING, SendStatus.DONE)
    assert await client.balance() == BALANCE - Decimal("1.00")


async def test_a_half_open_connection_is_given_up_after_our_own_patience(
    simulator: Running, receiver: Receiver
) -> None:
    async with simulator.client(efi_send_timeout_s=0.2) as impatient:
        await impatient.balance()
        await simulator.order("api", mode="half_open", count=1)
        started = time.monotonic()
        with pytest.raises(EfiUnknown, match="ReadTimeout"):
            await impatient.send("envio1", amount=Decimal("1.00"), key=DRIVER_KEY)
        assert time.monotonic() - started < 5
    assert (await simulator.state())["sends"] == []


async def test_sends_have_more_patience_than_queries(simulator: Running, receiver: Receiver) -> None:
    async with simulator.client(efi_read_timeout_s=0.1, efi_send_timeout_s=10, efi_attempts=1) as client:
        await simulator.order("api", mode="slow", count=1, delay_ms=0)
        await client.balance()
        await simulator.order("api", mode="slow", count=2, delay_ms=400)
        assert (await client.send("envio1", amount=Decimal("1.00"), key=DRIVER_KEY)).id_envio == "envio1"
        with pytest.raises(EfiUnknown, match="ReadTimeout"):
            await client.balance()


async def test_a_long_retry_after_is_for_the_caller(simulator: Running, client: EfiClient) -> None:
    await simulator.order("api", mode="throttled", count=1, delay_ms=60_000)
    with pytest.raises(EfiThrottled) as throttled:
        await client.balance()
    assert (throttled.value.retry_after_s, throttled.value.name) == (60.0, "limite_excedido")


async def test_fifty_calls_at_once_log_in_once(simulator: Running) -> None:
    tokens = simulator.app.state.deps.tokens
    async with simulator.client() as client:
        assert await asyncio.gather(*(client.balance() for _ in range(50))) == [BALANCE] * 50
        assert len(tokens._expiry) == 1
        await simulator.control.post("/_control/tokens/revoke")
        assert await asyncio.gather(*(client.balance() for _ in range(50))) == [BALANCE] * 50
        assert len(tokens._expiry) == 1


async def test_a_host_that_keeps_failing_is_left_alone_and_tried_again(simulator: Running) -> None:
    settings = {"efi_attempts": 1, "efi_circuit_failures": 3, "efi_circuit_open_s": 0.3}
    async with simulator.client(**settings) as client:
        await client.balance()
        await simulator.order("api", mode="error_500", count=1000)
        for _ in range(3):
            with pytest.raises(EfiUnknown):
                await client.balance()
        with pytest.raises(EfiCircuitOpen):
            await client.balance()
        assert REGISTRY.get_sample_value("efi_circuit_state", {"host": "localhost"}) == 2
        await simulator.order("api", mode="ok")

        async def well_again() -> bool:
            try:
                return await client.balance() == BALANCE
            except EfiError:
                return False

        await eventually(well_again)
    assert REGISTRY.get_sample_value("efi_circuit_state", {"host": "localhost"}) == 0


async def test_the_p12_that_efi_hands_out_is_enough(
    simulator: Running, certificates: Certificates, tmp_path: Path
) -> None:
    key = load_pem_private_key(certificates.client.key.read_bytes(), None)
    certificate = load_pem_x509_certificate(certificates.client.cert.read_bytes())
    p12 = tmp_path / "efi.p12"
    p12.write_bytes(serialize_key_and_certificates(b"efi", key, certificate, None, NoEncryption()))  # type: ignore[arg-type]
    async with simulator.client(efi_certificate_file=p12) as client:
        assert await client.balance() == BALANCE


async def test_calls_in_flight_finish_on_the_old_certificate(
    simulator: Running, certificates: Certificates, tmp_path: Path
) -> None:
    async with simulator.client() as client:
        await client.balance()
        await simulator.order("api", mode="slow", count=5, delay_ms=300)
        in_flight = [asyncio.create_task(client.balance()) for _ in range(5)]
        await eventually(lambda: simulator.app.state.deps.api_mode.left == 0)
        renewed = certificates.client_named("renewed")
        bundle = tmp_path / "bundle.pem"
        bundle.write_bytes(renewed.cert.read_bytes() + renewed.key.read_bytes())
        assert await client.balance() == BALANCE
        assert await asyncio.gather(*in_flight) == [BALANCE] * 5
