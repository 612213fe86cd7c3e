"""Becomes another program that dies with whoever started it: `leash.py PARENT_PID UID COMMAND…`.

A script of its own rather than Popen's preexec_fn, which is unsafe beside threads. UID is `-` to stay the
same user. The kernel's death signal is cleared by a change of user, so it is asked for last.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    parent, user, *command = arguments
    if user != "-":
        os.setgroups([])
        os.setgid(int(user))
        os.setuid(int(user))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != int(parent):
            sys.exit("the one who started this is gone")
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
