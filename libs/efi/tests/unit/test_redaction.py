"""What a process with every log switched on prints of its talk with Efí names nobody and no secret."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import asyncio, sys
from decimal import Decimal
from pathlib import Path
import httpx
from efi_fakes import ScriptedEfi, client_of, cob, json_answer
from efi import EfiError
from telemetry import TelemetrySettings, configure, get_logger

KEY = "123e4567-e12b-42d1-a456-426655440000"
WRONG = {
    "nome": "chave_invalida",
    "mensagem": f"A chave {KEY} de maria@example.com, CPF 529.982.247-25, é inválida: +5531999998888",
    "erros": [{"chave": "cpf", "caminho": ".body.favorecido.cpf", "mensagem": "52998224725"}],
}


async def main(folder):
    answers = [json_answer(WRONG, 400), json_answer(WRONG, 500), json_answer(WRONG, 403)]
    efi = ScriptedEfi([*answers, httpx.Response(502, text="<p>maria@example.com"), json_answer(cob())])
    async with client_of(efi, folder, efi_attempts=1) as client:
        for _ in range(4):
            try:
                await client.send("envio1", amount=Decimal("1.00"), key=KEY, document="52998224725")
            except EfiError as error:
                get_logger("caller").exception("send_failed", error=repr(error), raw=error.raw)
        charge = await client.get_charge("0" * 32)
        get_logger("caller").info("charge", charge=charge, shown=repr(charge))


configure("efi-test", TelemetrySettings(log_level="DEBUG", log_format="json"))
asyncio.run(main(Path(sys.argv[1])))
"""
SECRETS = (
    "123e4567-e12b-42d1-a456-426655440000",
    "maria@example.com",
    "529.982.247-25",
    "52998224725",
    "5531999998888",
    "Bearer",
    "aWQ6c2VjcmV0",
    "00020101021226",
    "pix@ibora.invalid",
)


def test_no_log_line_shows_a_key_a_document_or_a_token(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)], capture_output=True, text=True, timeout=120, check=True
    )
    lines = [json.loads(line) for line in (done.stdout + done.stderr).splitlines()]
    events = [line["event"] for line in lines]
    assert events.count("efi_request_failed") == events.count("send_failed") == 4
    assert "chave_invalida" in done.stdout + done.stderr
    for secret in SECRETS:
        assert secret not in done.stdout + done.stderr
