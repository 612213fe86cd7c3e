"""Days and moments in requests: within the calendar that dates, zones and databases can all reckon with."""

from datetime import UTC, date, datetime
from typing import Annotated, Final

from fastapi import Path, Query
from pydantic import Field

from web import UtcTime

FIRST_DAY: Final = date(2000, 1, 1)
LAST_DAY: Final = date(2199, 12, 31)

Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]
DayInPath = Annotated[date, Path(ge=FIRST_DAY, le=LAST_DAY)]
DayQuery = Annotated[date | None, Query(ge=FIRST_DAY, le=LAST_DAY)]
From = Annotated[date, Query(alias="from", ge=FIRST_DAY, le=LAST_DAY)]
To = Annotated[date, Query(alias="to", ge=FIRST_DAY, le=LAST_DAY)]
AsOf = Annotated[
    UtcTime | None, Query(ge=datetime(2000, 1, 1, tzinfo=UTC), le=datetime(2199, 12, 31, tzinfo=UTC))
]
