"""What the tests of this library share: a sample service's database and facts to publish."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text

from contracts.ride_dispatch import RidePaid
from kernel.ids import new_id
from storage import Database, DatabaseSettings, Transaction
from testkit import DatabaseUrls

SAMPLE_SERVICE: Final = Path(__file__).parent / "sample_service"
MakeDatabase = Callable[[str | Path | None], DatabaseUrls]


def settings_of(urls: DatabaseUrls, **changes: Any) -> DatabaseSettings:
    return DatabaseSettings(database_url=urls.app_url, database_owner_url=urls.owner_url, **changes)


@asynccontextmanager
async def opened(urls: DatabaseUrls, **changes: Any) -> AsyncIterator[Database[Transaction]]:
    """A Database on `urls`, disposed of at the end."""
    database = Database(settings_of(urls, **changes), service="sample", make=Transaction)
    try:
        yield database
    finally:
        await database.dispose()


def ride_paid() -> RidePaid:
    return RidePaid(
        ride_id=new_id(), passenger_id=new_id(), driver_id=new_id(), amount="10.00", paid_at=datetime.now(UTC)
    )


async def value_of(tx: Transaction, statement: str, **parameters: Any) -> Any:
    return (await tx.session.execute(text(statement), parameters)).scalar_one()
