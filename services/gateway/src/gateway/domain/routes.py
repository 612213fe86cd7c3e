"""Which service serves which public path. What is not in this table is not public."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kernel.refusals import Refusal

# An id as services write it. Anything else cannot name an object, and never reaches a service: no dots, no
# slashes, no escapes.
SEGMENT: Final = r"[A-Za-z0-9_-]{1,128}"
TICKET: Final = re.compile(SEGMENT)
PREFIX: Final = "/v1"


class WrongMethod(Refusal):
    """The path exists, the method does not; `allowed` do."""

    code = "method_not_allowed"
    status = 405
    final = False
    pt = "Este endereço não aceita esse método."
    en = "This address does not take that method."

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__()
        self.allowed = tuple(allowed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation. `protected`: a good access token is needed to reach it; `scarce`: the accept limit counts."""

    service: str
    method: str
    path: str
    protected: bool = True
    scarce: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A route, and the path that its service knows."""

    route: Route
    path: str


def _routes(service: str, *operations: str, protected: bool = True) -> tuple[Route, ...]:
    return tuple(
        Route(
            service=service,
            method=method,
            path=path,
            protected=protected,
            scarce=path == "/rides/{id}/accept",
        )
        for method, path in (operation.split() for operation in operations)
    )


ROUTES: Final[tuple[Route, ...]] = (
    *_routes(
        "identity",
        "POST /auth/register",
        "POST /auth/login",
        "POST /auth/refresh",
        "GET /.well-known/jwks.json",
        protected=False,
    ),
    *_routes(
        "identity",
        "POST /auth/logout",
        "GET /me",
        "PUT /drivers/{id}/pix-key",
        "GET /admin/drivers/pending",
        "POST /admin/drivers/{id}/approve",
        "POST /admin/drivers/{id}/reject",
        "POST /admin/users/{id}/suspend",
        "POST /admin/users/{id}/reinstate",
        "POST /admin/users/{id}/ban",
    ),
    *_routes(
        "ride-dispatch",
        "PUT /drivers/{id}/availability",
        "POST /drivers/{id}/location",
        "GET /drivers/{id}/offers",
        "POST /rides/quote",
        "POST /rides",
        "GET /rides/active",
        "GET /rides/history",
        "GET /rides/{id}",
        "POST /rides/{id}/accept",
        "POST /rides/{id}/reject",
        "POST /rides/{id}/arrive",
        "POST /rides/{id}/start",
        "POST /rides/{id}/complete",
        "POST /rides/{id}/cancel",
        "POST /rides/{id}/rating",
    ),
    *_routes(
        "payment",
        "POST /payments/intent",
        "GET /rides/{id}/payment",
        "POST /admin/payments/{id}/refunds",
        "GET /admin/payments/{id}/refunds",
        "GET /admin/received-pix",
        "POST /admin/received-pix/{id}/refunds",
        "POST /admin/reconciliation/statements",
    ),
    *_routes(
        "ledger",
        "GET /drivers/{id}/balance",
        "GET /drivers/{id}/financials",
        "GET /drivers/{id}/statement",
        "GET /admin/financials/report",
        "GET /admin/ledger/accounts",
        "GET /admin/ledger/accounts/{id}/balance",
        "GET /admin/ledger/trial-balance",
        "GET /admin/ledger/income-statement",
        "GET /admin/ledger/balance-sheet",
        "GET /admin/ledger/journals/{id}",
        "POST /admin/ledger/journals/{id}/reversal",
        "GET /admin/ledger/closed-days",
        "POST /admin/ledger/closed-days",
        "GET /admin/ledger/manual-journals",
        "POST /admin/ledger/manual-journals",
        "GET /admin/ledger/manual-journals/{id}",
        "POST /admin/ledger/manual-journals/{id}/approve",
        "POST /admin/ledger/manual-journals/{id}/reject",
        "GET /admin/reconciliation/cases",
        "GET /admin/reconciliation/cases/{id}",
        "POST /admin/reconciliation/cases/{id}/resolve",
        "GET /admin/reconciliation/days",
        "GET /admin/reconciliation/days/{id}",
    ),
    *_routes(
        "payout",
        "POST /payouts",
        "GET /payouts",
        "GET /payouts/{id}",
        "GET /admin/payouts",
        "GET /admin/payouts/{id}",
    ),
    *_routes("notification", "POST /ws/tickets"),
    *_routes(
        "backoffice",
        "GET /audit/logs",
        "GET /admin/rides/stats",
    ),
)

SOCKET_SERVICE: Final = "notification"


class Table:
    """Finds routes by method and path, under /v1 and without it."""

    def __init__(self, routes: Sequence[Route] = ROUTES) -> None:
        self._fixed: dict[str, dict[str, Route]] = {}
        self._shaped: dict[str, tuple[re.Pattern[str], dict[str, Route]]] = {}
        for route in routes:
            self._methods(route)[route.method] = route

    def find(self, method: str, path: str) -> Found | None:
        """None for an unknown path; WrongMethod."""
        bare = path.removeprefix(PREFIX) if path.startswith(f"{PREFIX}/") else path
        methods = self._at(bare)
        if methods is None:
            return None
        if method not in methods:
            raise WrongMethod(sorted(methods))
        return Found(route=methods[method], path=bare)

    def _methods(self, route: Route) -> dict[str, Route]:
        if "{" not in route.path:
            return self._fixed.setdefault(route.path, {})
        shape = re.compile(SEGMENT.join(re.escape(part) for part in re.split(r"\{\w+\}", route.path)))
        return self._shaped.setdefault(route.path, (shape, {}))[1]

    def _at(self, path: str) -> Mapping[str, Route] | None:
        fixed = self._fixed.get(path)
        if fixed is not None:
            return fixed
        return next((methods for shape, methods in self._shaped.values() if shape.fullmatch(path)), None)
