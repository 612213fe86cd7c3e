"""Identity, Efí and the vault in payout's words."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from payout_fakes import DETAILS, NOW

import efi
from efi import (
    EfiClient,
    EfiMismatch,
    EfiRefused,
    EfiThrottled,
    EfiUnauthorized,
    EfiUnknown,
    EfiUnreachable,
    SendNotFound,
)
from kernel.ids import new_id
from payout.adapters.bank import EfiBank
from payout.adapters.directory import IdentityDirectory
from payout.adapters.vault import CipherVault
from payout.domain.bank_details import Payee
from payout.domain.send import (
    SendNotMade,
    SendProblem,
    SendRefused,
    SendReport,
    SendReturn,
    SendState,
    SendUnclear,
)
from payout.ports import DirectoryAway
from storage.crypto import NotDecryptable

DRIVER = new_id()
BODY = {
    "driver_id": str(DRIVER),
    "full_name": "Ana",
    "cpf": "52998224725",
    "pix_key": "ana@exemplo.com.br",
    "pix_key_type": "email",
    "pix_key_changed_at": NOW.isoformat(),
    "status": "active",
}


def directory(answer: Callable[[httpx.Request], httpx.Response]) -> IdentityDirectory:
    client = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://identity")
    return IdentityDirectory(client, token=lambda: "secret")


async def test_identity_is_asked_as_a_service() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=BODY)

    identity = directory(answer)
    assert await identity.payee(DRIVER) == Payee(details=DETAILS, pix_key_changed_at=NOW)
    await identity.aclose()
    assert asked[0].url.path == f"/internal/drivers/{DRIVER}/bank-details"
    assert asked[0].headers["authorization"] == "Bearer secret"


OLD = {name: BODY[name] for name in ("driver_id", "full_name", "cpf", "pix_key", "pix_key_type")}


@pytest.mark.parametrize(
    ("response", "payee"),
    [
        (httpx.Response(404), None),
        (httpx.Response(200, json={**OLD, "pix_key": ""}), Payee(details=None)),
        (httpx.Response(200, json=OLD), Payee(details=DETAILS)),
        (
            httpx.Response(200, json={**BODY, "status": "suspended"}),
            Payee(details=DETAILS, active=False, pix_key_changed_at=NOW),
        ),
    ],
    ids=["no driver", "no key", "an older release", "suspended"],
)
async def test_identity_tells_whom_to_pay_or_not(response: httpx.Response, payee: Payee | None) -> None:
    identity = directory(lambda _: response)
    assert await identity.payee(DRIVER) == payee
    await identity.aclose()


def down(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("down")


@pytest.mark.parametrize(
    "answer",
    [
        down,
        lambda _: httpx.Response(503),
        lambda _: httpx.Response(401),
        lambda _: httpx.Response(302),
        lambda _: httpx.Response(200, text="<html>"),
        lambda _: httpx.Response(200, json=[]),
        lambda _: httpx.Response(200, json={"pix_key": "x"}),
        lambda _: httpx.Response(200, json={**BODY, "pix_key_changed_at": "yesterday"}),
    ],
)
async def test_anything_else_is_identity_being_away(
    answer: Callable[[httpx.Request], httpx.Response],
) -> None:
    identity = directory(answer)
    with pytest.raises(DirectoryAway):
        await identity.payee(DRIVER)
    await identity.aclose()


class Client:
    """Answers one thing to everything, and remembers what it was asked."""

    def __init__(self, answer: efi.Send | Exception) -> None:
        self._answer = answer
        self.asked: list[dict[str, Any]] = []

    async def send(self, id_envio: str, **values: Any) -> efi.Send:
        self.asked.append({"id_envio": id_envio, **values})
        return await self.get_send(id_envio)

    async def get_send(self, id_envio: str) -> efi.Send:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def bank(answer: efi.Send | Exception) -> tuple[EfiBank, Client]:
    client = Client(answer)
    return EfiBank(cast(EfiClient, client), limit_s=5.0), client


async def test_a_send_checks_that_the_document_owns_the_key() -> None:
    sent = efi.Send(id_envio="x", e2e_id="E1", status=efi.SendStatus.PROCESSING, amount=Decimal("1.00"))
    our_bank, client = bank(sent)
    report = await our_bank.send("x", amount=Decimal("1.00"), details=DETAILS)
    assert report == SendReport(state=SendState.PROCESSING, amount=Decimal("1.00"), e2e_id="E1")
    assert client.asked == [
        {
            "id_envio": "x",
            "amount": Decimal("1.00"),
            "key": DETAILS.pix_key,
            "document": DETAILS.cpf,
            "message": "Repasse Ibora",
        }
    ]


async def test_only_finished_returns_count() -> None:
    def back(return_id: str | None, status: efi.RefundStatus) -> efi.Return:
        return efi.Return(return_id=return_id, amount=Decimal("2.00"), status=status)

    sent = efi.Send(
        id_envio="x",
        e2e_id="E1",
        status=efi.SendStatus.DONE,
        amount=Decimal("5.00"),
        fee=Decimal("0.05"),
        error_code=None,
        returns=(
            back("D1", efi.RefundStatus.DONE),
            back("D2", efi.RefundStatus.PROCESSING),
            back(None, efi.RefundStatus.DONE),
        ),
    )
    report = await bank(sent)[0].find("x")
    assert report is not None
    assert (report.state, report.fee) == (SendState.DONE, Decimal("0.05"))
    assert report.returns == (
        SendReturn(return_id="D1", amount=Decimal("2.00")),
        SendReturn(return_id=None, amount=Decimal("2.00")),
    )


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (EfiRefused("chave_invalida", 400), SendRefused),
        (EfiRefused("webhook_nao_encontrado", 400), SendNotMade),
        (EfiUnreachable("no route"), SendNotMade),
        (EfiThrottled("slow down"), SendNotMade),
        (EfiUnauthorized("scope"), SendNotMade),
        (EfiUnknown("timeout"), SendUnclear),
        (EfiMismatch("another amount", status=409), SendUnclear),
    ],
)
async def test_every_error_is_one_of_three_problems(error: Exception, problem: type[SendProblem]) -> None:
    our_bank, _ = bank(error)
    with pytest.raises(problem):
        await our_bank.send("x", amount=Decimal("1.00"), details=DETAILS)
    with pytest.raises(problem):
        await our_bank.find("x")


async def test_how_long_a_busy_bank_wants_to_be_left_alone_is_passed_on() -> None:
    our_bank, _ = bank(EfiThrottled("slow down", retry_after_s=60.0))
    with pytest.raises(SendNotMade) as problem:
        await our_bank.send("x", amount=Decimal("1.00"), details=DETAILS)
    assert problem.value.wait_s == 60.0


async def test_an_unknown_id_is_not_an_error() -> None:
    assert await bank(SendNotFound("x"))[0].find("x") is None


def test_sealed_details_open_with_the_key_only(tmp_path: Path) -> None:
    key, other = tmp_path / "key", tmp_path / "other"
    key.write_text("YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=\n")
    other.write_text("YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmI=\n" + key.read_text())
    snapshot = CipherVault.from_file(key).seal(DETAILS)

    assert DETAILS.pix_key not in snapshot.sealed
    assert CipherVault.from_file(key).open(snapshot) == DETAILS
    assert CipherVault.from_file(other).open(snapshot) == DETAILS
    rotated = CipherVault.from_file(other).seal(DETAILS)
    with pytest.raises(NotDecryptable):
        CipherVault.from_file(key).open(rotated)
    for wrong in ("", "YWFh"):
        key.write_text(wrong)
        with pytest.raises(ValueError, match="32 bytes"):
            CipherVault.from_file(key)
