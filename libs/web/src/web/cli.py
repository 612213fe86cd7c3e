"""A service's command: `ride-dispatch api | worker | all | migrate | rebuild`."""

import sys
from collections.abc import Callable, Mapping
from typing import Final, Literal

USAGE: Final = 2

Mode = Literal["api", "worker", "all"]
Command = Callable[[], int | None]


def cli(
    service: str,
    commands: Mapping[str, Command],
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


def service_cli(
    service: str,
    *,
    serve: Callable[[Mode], None],
    migrate: Command,
    rebuild: Command | None = None,
    more: Mapping[str, Command] | None = None,
    arguments: Callable[[], list[str]] = lambda: sys.argv[1:],
) -> Callable[[], int]:
    """The entry point of a service with a database: what all of them do, and `more` that only it does.

    Without `rebuild` the service keeps no projection, and the command says so: whoever rebuilds all services
    in a row need not know which ones have one.
    """

    def nothing_to_rebuild() -> None:
        print(f"{service} keeps no projection: there is nothing to rebuild")

    commands: dict[str, Command] = {
        "api": lambda: serve("api"),
        "worker": lambda: serve("worker"),
        "all": lambda: serve("all"),
        "migrate": migrate,
        "rebuild": rebuild or nothing_to_rebuild,
        **(more or {}),
    }
    return cli(service, commands, arguments=arguments)
