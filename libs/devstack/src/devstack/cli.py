"""`ibora`: the stack, a service under development, dead letters, Efí, and the machine's health."""

import argparse
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from devstack import stack
from devstack.console import folder_of, say
from devstack.manifest import BY_NAME

Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    run: Command = options.run
    try:
        return run(options)
    except (stack.NotRunning, KeyError) as error:
        print(f"✗ {error.args[0]}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ibora", description=__doc__)
    parser.add_argument("--name", help="another stack than the usual one, by name")
    parser.add_argument("--folder", type=Path, help="another stack than the usual one, by its folder")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _stack_commands(commands.add_parser("stack", help="up, down, status, logs, run"))
    dev = commands.add_parser("dev", help="one service with reload against the running stack")
    dev.add_argument("service", choices=sorted(BY_NAME))
    dev.set_defaults(run=_dev)
    commands.add_parser("doctor", help="what is missing on this machine, and the fix").set_defaults(
        run=_doctor
    )
    commands.add_parser("fetch", help="get what the embedded stack downloads, once").set_defaults(run=_fetch)
    schemas = commands.add_parser("schemas", help="generate schemas/ (--check: say what is out of date)")
    schemas.add_argument("--check", action="store_true")
    schemas.set_defaults(run=_schemas)
    from devstack import deadletters, efi_commands, ledger_commands

    deadletters.add_commands(commands.add_parser("deadletters", help="list, show, replay, discard"))
    ledger_commands.add_commands(
        commands.add_parser(
            "ledger", help="the ledger's own command, on the running stack: verify, trial-balance, …"
        )
    )
    efi_commands.add_commands(
        commands.add_parser("efi", help="register-webhook, listen, trigger, balance, charge")
    )
    return parser


def _stack_commands(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, text in (
        ("up", _up, "start it in the background and wait until it is ready"),
        ("run", _run, "run it in the foreground; Ctrl-C stops it"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--only", default="", metavar="A,B", help="these services only")
        command.add_argument("--keep-data", action="store_true", help="start on the data of the last time")
        command.set_defaults(run=run)
    commands.add_parser("down", help="stop it and wait until it is gone").set_defaults(run=_down)
    commands.add_parser("status", help="what runs, with pids and addresses").set_defaults(run=_status)
    commands.add_parser("clean", help="stop it and forget its data").set_defaults(run=_clean)
    logs = commands.add_parser("logs", help="follow the logs")
    logs.add_argument("service", nargs="*", help="these only")
    logs.add_argument("--no-follow", action="store_true", help="print the end and return")
    logs.set_defaults(run=_logs)


def _up(options: argparse.Namespace) -> int:
    folder = folder_of(options)
    if not stack.up(folder, say=say, only=options.only, keep_data=options.keep_data):
        say(f"✗ the stack did not come up; its logs are in {folder / 'logs'}")
        return 1
    for line in stack.summary(stack.described(folder), folder):
        say(line)
    return 0


def _run(options: argparse.Namespace) -> int:
    from devstack import supervise

    arguments = ["--folder", str(folder_of(options)), "--only", options.only]
    return supervise.main(arguments + (["--keep-data"] if options.keep_data else []))


def _down(options: argparse.Namespace) -> int:
    say("▸ stopped" if stack.down(folder_of(options)) else "no stack was running")
    return 0


def _clean(options: argparse.Namespace) -> int:
    from devstack import supervise

    folder = folder_of(options)
    for each in [*(folder / "stacks").glob("*"), folder]:
        stack.down(each)
        supervise.wipe(each)
        shutil.rmtree(each, ignore_errors=True)
    return 0


def _status(options: argparse.Namespace) -> int:
    from devstack import processes

    folder = folder_of(options)
    said = stack.described(folder)
    for name, pid in said["pids"].items():
        state = "running" if processes.alive(pid) else "down"
        say(f"{name:<14} {pid:>8}  {state:<8} {said['services'].get(name, '')}")
    for line in stack.summary(said, folder):
        say(line)
    return 0


def _logs(options: argparse.Namespace) -> int:
    stack.follow(folder_of(options), names=options.service, say=say, forever=not options.no_follow)
    return 0


def _dev(options: argparse.Namespace) -> int:
    from devstack.dev import dev

    return dev(options.service, folder=folder_of(options))


def _doctor(options: argparse.Namespace) -> int:
    from devstack import doctor

    return doctor.report(folder_of(options), say=say)


def _fetch(_options: argparse.Namespace) -> int:
    from devstack.parts import jars

    try:
        jars.kafka_classpath(say=say)
    except jars.NoJars as error:
        say(f"✗ {error}")
        return 1
    return 0


def _schemas(options: argparse.Namespace) -> int:
    from devstack.schemas.command import main as schemas

    return schemas(["--check"] if options.check else [])


if __name__ == "__main__":
    sys.exit(main())
