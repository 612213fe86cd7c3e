"""A service's command: `ride-dispatch api | worker | all | migrate | rebuild`."""

import sys
from collections.abc import Callable, Mapping
from typing import Final

USAGE: Final = 2


def cli(
    service: str,
    commands: Mapping[str, Callable[[], int | None]],
    *,
    arguments: Callable[[], list[str]] = lambda: sys.argv[1:],
) -> Callable[[], int]:
    """An entry point that runs the one command on its line. Exit code: its own, 0 for None, 2 for misuse."""

    def run() -> int:
        given = arguments()
        if len(given) != 1 or given[0] not in commands:
            asked_for_help = given in (["--help"], ["-h"])
            print(
                f"usage: {service} {' | '.join(commands)}", file=sys.stdout if asked_for_help else sys.stderr
            )
            return 0 if asked_for_help else USAGE
        return commands[given[0]]() or 0

    return run
