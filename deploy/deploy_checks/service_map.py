"""The service map of docs/architecture.md, written once more and by hand: what the chart's policies must amount to.

An edge is (from, to, port). Outside nodes are written in capitals.
"""

from typing import Final

Edge = tuple[str, str, int]

HTTP: Final = 8000
WEBHOOK: Final = 8443

BEHIND_THE_GATEWAY: Final = (
    "identity",
    "ride-dispatch",
    "payment",
    "ledger",
    "payout",
    "notification",
    "backoffice",
)
SERVICES: Final = ("gateway", *BEHIND_THE_GATEWAY)
WITH_A_DATABASE: Final = BEHIND_THE_GATEWAY
WITH_EFI: Final = ("payment", "payout")
PARTS: Final = {
    "gateway": ("api",),
    **dict.fromkeys(WITH_A_DATABASE, ("api", "worker", "migration")),
}


def expected_edges(*, postgres: int, kafka: int, valkey: int, efi: int) -> set[Edge]:
    """Every edge that may exist, and no other. Nodes of ours are `service/component`."""
    running = [f"{service}/{part}" for service in SERVICES for part in PARTS[service] if part != "migration"]
    every = [f"{service}/{part}" for service in SERVICES for part in PARTS[service]]
    edges: set[Edge] = {("gateway/api", f"{service}/api", HTTP) for service in BEHIND_THE_GATEWAY}
    edges |= {
        # Keys and revocations, and payout's question for bank details.
        (node, "identity/api", HTTP)
        for node in running
        if not node.startswith("identity/")
    }
    edges |= {(node, "VALKEY", valkey) for node in running}
    edges |= {(node, "DNS", 53) for node in (*every, "gateway/test")}
    edges |= {("PROMETHEUS", node, HTTP) for node in running}
    for service in WITH_A_DATABASE:
        edges |= {(f"{service}/{part}", "POSTGRES", postgres) for part in PARTS[service]}
        edges |= {(f"{service}/{part}", "KAFKA", kafka) for part in ("api", "worker")}
    edges |= {(f"{service}/{part}", "EFI", efi) for service in WITH_EFI for part in ("api", "worker")}
    edges |= {("EFI", "payment/api", WEBHOOK), ("INGRESS", "gateway/api", HTTP)}
    return edges | {("gateway/test", "gateway/api", HTTP)}
