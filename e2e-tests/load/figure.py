"""A figure, its yardstick, and the table and file that they go into."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "build" / "bench-report.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """`ratio` is value over yardstick; `load_average` the machine's one-minute load when it was measured."""

    name: str
    value: float
    unit: str
    yardstick: str
    yardstick_value: float

    @property
    def ratio(self) -> float:
        return self.value / self.yardstick_value if self.yardstick_value else float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    name: str
    value: float
    unit: str
    yardstick: str
    yardstick_value: float
    ratio: float
    load_average: float


def measured(figure: Figure) -> Measured:
    return Measured(
        name=figure.name,
        value=round(figure.value, 4),
        unit=figure.unit,
        yardstick=figure.yardstick,
        yardstick_value=round(figure.yardstick_value, 4),
        ratio=round(figure.ratio, 3),
        load_average=round(os.getloadavg()[0], 2),
    )


def percentile(values: Sequence[float], part: float) -> float:
    """Nearest rank; `part` is 0.99 for p99."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


def write(figures: Sequence[Measured]) -> None:
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps([asdict(figure) for figure in figures], indent=2) + "\n")


def table(figures: Sequence[Measured]) -> str:
    header = ("figure", "value", "unit", "yardstick", "its value", "ratio", "load")
    rows = [
        (
            figure.name,
            f"{figure.value:,.3f}",
            figure.unit,
            figure.yardstick,
            f"{figure.yardstick_value:,.3f}",
            f"{figure.ratio:.3f}",
            f"{figure.load_average:.2f}",
        )
        for figure in figures
    ]
    widths = [max(len(line[i]) for line in (header, *rows)) for i in range(len(header))]
    lines = [
        "  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) for line in (header, *rows)
    ]
    return "\n".join(lines)
