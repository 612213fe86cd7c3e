"""What the verbs need from outside."""

from collections.abc import Sequence
from typing import Protocol

from backoffice.domain.record import Filter, Record


class AuditLog(Protocol):
    def add(self, record: Record) -> None:
        """Append when the transaction commits; a record that is there already is left as it is."""

    async def find(self, filter_: Filter, *, before_sequence: int | None, limit: int) -> Sequence[Record]:
        """Newest first, from below `before_sequence`."""


class Tx(Protocol):
    @property
    def audit_log(self) -> AuditLog: ...
