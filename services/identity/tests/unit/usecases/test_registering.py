"""Registering: one account, its facts, and the same refusal whatever already exists."""

import pytest
from identity_fakes import ADMIN, NOON, FakeTx, driver_application, passenger_application

from contracts.audit import AuditRecorded
from contracts.identity import Profile, UserRegistered
from identity.domain.account import Account, AlreadyRegistered
from identity.domain.application import Application
from identity.usecases.publish_profiles import publish_profiles
from identity.usecases.read_me import read_me
from identity.usecases.register_user import register_user
from kernel.ids import new_id
from kernel.refusals import NotFound


async def register(tx: FakeTx, application: Application) -> Account:
    return await register_user(
        tx,
        application=application,
        password_hash="hash:segredo-forte",
        user_id=new_id(),
        vehicle_id=new_id(),
        actor=ADMIN,
        now=NOON,
    )


async def test_register_user_tells_of_the_user_before_the_profile() -> None:
    tx = FakeTx()
    account = await register(tx, passenger_application())
    assert tx.facts() == ["user.registered", "profile", "audit.recorded"]
    assert {version for fact, version in tx.published if isinstance(fact, UserRegistered | Profile)} == {1}
    assert tx.accounts.hashes[account.id] == "hash:segredo-forte"


async def test_a_driver_is_also_submitted_for_approval() -> None:
    tx = FakeTx()
    await register(tx, driver_application())
    assert tx.facts() == ["user.registered", "driver.submitted", "profile", "audit.recorded"]


@pytest.mark.parametrize("field", ["email", "phone", "cpf", "cnh_number", "pix_key", "vehicle"])
async def test_whatever_exists_gets_the_same_refusal(field: str) -> None:
    tx = FakeTx()
    first = driver_application(1)
    await register(tx, first)
    published = len(tx.published)
    with pytest.raises(AlreadyRegistered) as refused:
        await register(tx, driver_application(2, **{field: getattr(first, field)}))
    assert str(refused.value) == AlreadyRegistered.en
    assert len(tx.published) == published


async def test_what_is_published_holds_no_personal_data() -> None:
    tx = FakeTx()
    application = driver_application()
    await register(tx, application)
    told = "".join(fact.model_dump_json() for fact, _ in tx.published)
    for secret in (
        application.cpf,
        application.cnh_number,
        application.pix_key,
        application.email,
        application.phone,
    ):
        assert str(secret) not in told
    assert any(isinstance(fact, AuditRecorded) for fact, _ in tx.published)


async def test_read_me_finds_an_account_or_nothing() -> None:
    tx = FakeTx()
    account = await register(tx, passenger_application())
    assert await read_me(tx, user_id=account.id) == account
    with pytest.raises(NotFound):
        await read_me(tx, user_id=new_id())


async def test_publish_profiles_walks_through_every_account_once() -> None:
    tx = FakeTx()
    accounts = [await register(tx, passenger_application(number)) for number in range(3)]
    tx.published.clear()
    last = await publish_profiles(tx, after=None, now=NOON)
    assert last == max(account.id for account in accounts)
    assert await publish_profiles(tx, after=last, now=NOON) is None
    assert tx.facts() == ["profile"] * 3
