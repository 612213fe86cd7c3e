"""The day's statement so far, beside the books: published by payment, matched by the ledger."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from demo.cast import Cast
from kernel.business_day import business_day

PATIENCE_S = 30.0


async def today(cast: Cast) -> dict[str, Any]:
    """How Efí's statement of this day compares with BANCO_CORRENTE, once all its lines have arrived."""
    day = business_day(datetime.now(UTC)).isoformat()
    body = {"day": day}
    published = (await cast.admin.post("/admin/reconciliation/statements", body)).expect(200).body
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while True:
        answer = await cast.admin.get(f"/admin/reconciliation/days/{day}")
        found: dict[str, Any] = answer.expect(200, 404).body
        if answer.status == 200 and found["statement"]["lines"] == published["lines"] and _agrees(found):
            return found
        if asyncio.get_running_loop().time() > deadline:
            # What does not match is told, not hidden: the report shows it and is not ok.
            return answer.expect(200).body  # type: ignore[no-any-return]
        await asyncio.sleep(0.2)


def _agrees(found: dict[str, Any]) -> bool:
    statement, books = found["statement"], found["books"]
    every_line = statement["lines"] == statement["arrived"] == statement["matched"]
    return every_line and (books["entries_alone"], found["difference"]) == (0, "0.00")


def summary(found: dict[str, Any]) -> dict[str, Any]:
    """For the report: what the two sides say, and how they differ."""
    statement, books = found["statement"], found["books"]
    return {
        "day": found["day"],
        "lines": statement["lines"],
        "matched": statement["matched"],
        "entries_alone": books["entries_alone"],
        "differences": statement["lines"] - statement["matched"] + books["entries_alone"],
        "difference": found["difference"],
        "came_in": statement["came_in"],
        "went_out": statement["went_out"],
        "bank_balance": statement["balance"],
        "gap": found["gap"],
        "open_cases": found["open_cases"],
        "ok": _agrees(found) and found["open_cases"] == 0,
    }
