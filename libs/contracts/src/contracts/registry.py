"""Every fact by its CloudEvents type, and which service publishes it."""

from collections.abc import Mapping
from typing import Final

from contracts import audit, backoffice, identity, ledger, payment, payout, ride_dispatch
from contracts.base import Fact

PUBLISHERS: Final[Mapping[str, tuple[type[Fact], ...]]] = {
    "identity": identity.FACTS,
    "ride-dispatch": ride_dispatch.FACTS,
    "payment": payment.FACTS,
    "ledger": ledger.FACTS,
    "payout": payout.FACTS,
    "backoffice": backoffice.FACTS,
    "audit": audit.FACTS,
}

FACTS: Final[tuple[type[Fact], ...]] = tuple(fact for facts in PUBLISHERS.values() for fact in facts)

BY_TYPE: Final[Mapping[str, type[Fact]]] = {fact.type_name(): fact for fact in FACTS}
