"""Live progress: a line a step with its duration; colour on a terminal, plain when piped."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic

GREEN, RED, DIM, BOLD = "32", "31", "2", "1"


class Console:
    def __init__(self) -> None:
        self._colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._started = monotonic()

    @property
    def seconds(self) -> float:
        """Since the demo began."""
        return monotonic() - self._started

    def say(self, text: str) -> None:
        print(text, flush=True)

    def title(self, text: str) -> None:
        self.say(self.paint(f"\n{text}", BOLD))

    def done(self, text: str, *, seconds: float) -> None:
        clock = self.paint(f"{self.seconds:6.1f} s", DIM)
        self.say(f"{clock}  {self.paint('✓', GREEN)} {text} {self.paint(f'({seconds * 1000:.0f} ms)', DIM)}")

    def failed(self, text: str) -> None:
        self.say(f"{self.paint(f'{self.seconds:6.1f} s', DIM)}  {self.paint('✗', RED)} {text}")

    @contextmanager
    def step(self, text: str) -> "Iterator[list[str]]":
        """Print the step when it has ended; what is put into the list is added to its line."""
        started = monotonic()
        added: list[str] = []
        try:
            yield added
        except BaseException:
            self.failed(text)
            raise
        self.done(" · ".join([text, *added]), seconds=monotonic() - started)

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        widths = [max(len(line[i]) for line in (header, *rows)) for i in range(len(header))]
        self.say(self.paint("  " + "  ".join(h.ljust(w) for h, w in zip(header, widths, strict=True)), BOLD))
        for row in rows:
            self.say("  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)))

    def verdict(self, name: str, *, ok: bool, detail: str) -> None:
        mark = self.paint("✓", GREEN) if ok else self.paint("✗", RED)
        self.say(f"  {mark} {name.replace('_', ' ')} {self.paint(f'· {detail}', DIM)}")

    def paint(self, text: str, code: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self._colour else text
