"""Webhooks over real mutual TLS: probing, delivery, retries, and each way to misdeliver."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from openapi_overlay import bacen, faults
from simulator_fakes import KEY, Receiver, Running, receiving, running

from efi import EfiClient, EfiRefused
from testkit import eventually
from testkit.certificates import Certificates


@pytest.fixture
async def simulator(tmp_path: Path, certificates: Certificates) -> AsyncIterator[Running]:
    async with running(tmp_path, certificates) as one:
        yield one


@pytest.fixture
async def client(simulator: Running) -> AsyncIterator[EfiClient]:
    async with simulator.client() as one:
        yield one


@pytest.fixture
async def receiver(certificates: Certificates) -> AsyncIterator[Receiver]:
    async with receiving(certificates) as one:
        yield one


async def pay(simulator: Running, times: int = 1) -> list[str]:
    return [(await simulator.order("pix", amount="1.00"))["endToEndId"] for _ in range(times)]


def ids(receiver: Receiver) -> list[str]:
    return [item["endToEndId"] for item in receiver.items()]


async def test_a_webhook_that_demands_our_certificate_is_registered(
    client: EfiClient, receiver: Receiver
) -> None:
    assert await client.get_webhook() is None
    await client.register_webhook(receiver.url)
    registered = await client.get_webhook()
    assert registered is not None
    assert registered.url == receiver.url
    ((path, body),) = receiver.got
    assert path == "/webhooks/efi"
    assert body["evento"] == "teste_webhook"


async def test_a_webhook_without_mutual_tls_is_refused(
    simulator: Running, client: EfiClient, certificates: Certificates
) -> None:
    async with receiving(certificates, demand_certificate=False) as careless:
        with pytest.raises(EfiRefused, match="webhook_invalido"):
            await client.register_webhook(careless.url)
    assert await client.get_webhook() is None


async def test_a_webhook_that_answers_an_error_is_refused(client: EfiClient, receiver: Receiver) -> None:
    receiver.statuses = [500]
    with pytest.raises(EfiRefused, match="500"):
        await client.register_webhook(receiver.url)


async def test_a_webhook_that_nobody_serves_is_refused(client: EfiClient) -> None:
    with pytest.raises(EfiRefused, match="ClientConnectorError"):
        await client.register_webhook("https://localhost:9/webhooks/efi")


async def test_a_webhook_with_a_strangers_certificate_is_refused(
    client: EfiClient, certificates: Certificates, tmp_path: Path
) -> None:
    async with running(tmp_path, certificates, webhook_ca_file=certificates.other_ca) as wary:
        async with wary.client() as its_client, receiving(certificates) as receiver:
            with pytest.raises(EfiRefused, match="webhook_invalido"):
                await its_client.register_webhook(receiver.url)


async def test_a_query_at_the_end_takes_the_appended_path(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    await client.register_webhook(f"{receiver.url}?hmac=x&ignorar=")
    await pay(simulator)
    await eventually(lambda: any(path == "/webhooks/efi?hmac=x&ignorar=/pix" for path, _ in receiver.got))


async def test_a_failed_delivery_is_repeated_until_it_is_taken(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    await client.register_webhook(receiver.url)
    receiver.statuses = [500, 429, 404, 302]
    (e2e_id,) = await pay(simulator)
    await eventually(lambda: ids(receiver) == [e2e_id] * 5)


async def test_a_delivery_that_is_never_taken_ends_after_ten_attempts(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    await client.register_webhook(receiver.url)
    receiver.statuses = [503] * 10
    (first,) = await pay(simulator)
    await eventually(lambda: ids(receiver) == [first] * 10)
    (second,) = await pay(simulator)
    await eventually(lambda: ids(receiver) == [first] * 10 + [second])


async def test_a_receiver_that_comes_back_gets_what_it_missed(
    simulator: Running, client: EfiClient, certificates: Certificates
) -> None:
    async with receiving(certificates) as gone:
        await client.register_webhook(gone.url)
    (e2e_id,) = await pay(simulator)
    async with receiving(certificates) as back:
        moved = replace(simulator.bank.webhooks[KEY], url=back.url)
        simulator.bank.webhooks[KEY] = moved
        await eventually(lambda: ids(back) == [e2e_id])


async def test_a_dropped_webhook_never_comes_though_the_pix_is_there(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    await client.register_webhook(receiver.url)
    await simulator.order("webhooks", mode="drop", count=1)
    first, second = await pay(simulator, 2)
    await eventually(lambda: ids(receiver) == [second])
    assert (await client.get_received(first)).e2e_id == first


async def test_a_duplicated_webhook_comes_three_times(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    await client.register_webhook(receiver.url)
    await simulator.order("webhooks", mode="duplicate", count=1)
    (e2e_id,) = await pay(simulator)
    await eventually(lambda: ids(receiver) == [e2e_id] * 3)


async def test_a_delayed_webhook_is_overtaken(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    await client.register_webhook(receiver.url)
    await simulator.order("webhooks", mode="delay", count=1, delay_ms=400)
    first, second = await pay(simulator, 2)
    await eventually(lambda: ids(receiver) == [second, first])


async def test_reordered_webhooks_come_last_first(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    await client.register_webhook(receiver.url)
    await simulator.order("webhooks", mode="reorder", count=3, delay_ms=60_000)
    paid = await pay(simulator, 3)
    await eventually(lambda: ids(receiver) == paid[::-1])


async def test_what_arrives_fits_the_specification(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    await client.register_webhook(receiver.url)
    await pay(simulator)
    await eventually(lambda: bool(ids(receiver)))
    assert faults(bacen(), "NotificacoesPix", receiver.got[-1][1], reads=True) == []


async def test_notices_that_follow_each_other_share_a_connection(
    simulator: Running, client: EfiClient, receiver: Receiver
) -> None:
    await client.register_webhook(receiver.url)
    receiver.connections.clear()
    for number in range(1, 4):
        await pay(simulator)
        await eventually(lambda wanted=number: len(receiver.items()) == wanted)
    assert len(receiver.connections) == 1
