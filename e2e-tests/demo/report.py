"""build/demo-report.json: what the demo found, for machines."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "build" / "demo-report.json"


def write(proof: dict[str, Any], *, seconds: float) -> dict[str, Any]:
    """The report in the shape that issue and docs promise; `proof` comes from the checking process.

    Its `reconciliation` comes from the admin's API: the day so far, Efí beside the books.
    """
    report = {
        "ok": all(check["ok"] for check in proof["checks"]) and proof["reconciliation"]["ok"],
        "seconds": round(seconds, 1),
        "rides": proof["rides"],
        "race": proof["race"],
        "webhooks": proof["webhooks"],
        "payouts": proof["payouts"],
        "refunds": proof["refunds"],
        "reconciliation": proof["reconciliation"],
        "ledger": proof["ledger"],
        "pending_messages": proof["pending_messages"],
        "checks": proof["checks"],
    }
    REPORT.parent.mkdir(exist_ok=True)
    temporary = REPORT.with_suffix(".tmp")
    temporary.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    temporary.replace(REPORT)
    return report
