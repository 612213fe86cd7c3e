"""Free ports."""

import socket
import subprocess
import sys

from devstack import ports


def test_two_free_ports_are_never_the_same() -> None:
    given = [ports.free_port() for _ in range(50)]

    assert len(set(given)) == 50


def test_a_port_that_somebody_listens_on_is_not_given() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]

        assert not ports.is_free(number)
        assert ports.listening(number)
        assert ports.free_port(preferred=number) != number


def test_another_process_does_not_get_a_port_that_we_hold() -> None:
    ours = ports.free_port()
    ask = f"from devstack import ports; print(ports.free_port(preferred={ours}))"

    theirs = int(subprocess.check_output([sys.executable, "-c", ask]))
    assert theirs != ours

    ports.release(ours)
    assert int(subprocess.check_output([sys.executable, "-c", ask])) == ours
