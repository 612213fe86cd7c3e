"""A service's own command, as an operator runs it beside the running stack."""

import asyncio
from dataclasses import dataclass

from devstack.files import read_json
from devstack.manifest import BY_NAME
from devstack.supervisor import service_command
from simulator.stack import Stack


@dataclass(frozen=True, slots=True)
class Ended:
    """`output` is standard output and error together."""

    code: int
    output: str


async def run_command(stack: Stack, service: str, verb: str, *, order: str = "") -> Ended:
    """`<service> <verb>` with the service's own environment; `order` goes to its standard input."""
    process = await asyncio.create_subprocess_exec(
        *service_command(BY_NAME[service], verb),
        env=read_json(stack.folder / "services" / f"{service}.json"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate(order.encode())
    assert process.returncode is not None, "it has ended"
    return Ended(process.returncode, output.decode(errors="replace").strip())
