"""What one process remembers of the drivers it hears: trails for the gate, positions for the next flush."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from ride_dispatch.domain.location import Point, Trail
from ride_dispatch.ports import DriverPosition

MOST_TRAILS: Final = 50_000


class PositionBuffer:
    """Bounded: the drivers heard longest ago are forgotten first, and Postgres is asked again."""

    def __init__(self, *, most_trails: int = MOST_TRAILS) -> None:
        self._most_trails = most_trails
        self._trails: OrderedDict[UUID, Trail] = OrderedDict()
        self._waiting: dict[UUID, Point] = {}

    def trail_of(self, driver_id: UUID) -> Trail | None:
        return self._trails.get(driver_id)

    def keep(self, driver_id: UUID, *, trail: Trail) -> None:
        before = self._trails.get(driver_id)
        self._trails[driver_id] = trail
        self._trails.move_to_end(driver_id)
        if len(self._trails) > self._most_trails:
            self._trails.popitem(last=False)
        if trail.anchor is not None and (before is None or before.anchor != trail.anchor):
            self._waiting[driver_id] = trail.anchor

    def take(self) -> Sequence[DriverPosition]:
        taken, self._waiting = self._waiting, {}
        return [DriverPosition(driver_id=driver_id, point=point) for driver_id, point in taken.items()]

    def give_back(self, positions: Sequence[DriverPosition]) -> None:
        for position in positions:
            self._waiting.setdefault(position.driver_id, position.point)
