"""After all journeys: the books, the bank and the logs."""

import re
from pathlib import Path

from journeys.conftest import World
from proof.__main__ import prove
from simulator.stack import Stack

PERSONAL = re.compile(
    r"\d{3}\.\d{3}\.\d{3}-\d{2}|eyJ[\w-]{10,}\.eyJ[\w-]{10,}|000201\d{6}|Bearer [\w-]{20,}|/ws/[\w-]{30,}"
)


async def test_the_books_hold_after_everything(stack: Stack) -> None:
    found = await prove(stack)
    assert [check for check in found["checks"] if not check["ok"]] == []


async def test_no_log_holds_anything_personal(world: World, stack_folder: Path) -> None:
    driver = await world.driver()
    await driver.report()
    logs = {log: log.read_text(errors="replace") for log in (stack_folder / "logs").glob("*.log")}
    assert len(logs) >= len(world.stack.services)
    secrets = [
        driver.registration[name] for name in ("cpf", "cnh_number", "pix_key", "email", "phone", "password")
    ]
    secrets += [driver.token, driver.refresh_token, *map(str, driver.place)]
    for log, text in logs.items():
        assert PERSONAL.search(text) is None, f"{log.name}: {PERSONAL.search(text)}"
        for secret in secrets:
            assert secret not in text, f"{log.name} holds a secret of a driver"
