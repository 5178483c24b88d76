"""The file descriptors of the protocol.

Handlers may print, close stdout or start children; none of that may reach the pipes to the worker, so they are private,
and closed in every child.
"""

import fcntl
import os
import sys

# The number from which private descriptors are looked for: code that closes "all" descriptors often means the first few.
PRIVATE = 10


def claim(environ):
    """Takes the pipes that environ names (0 and 1 when it names none) and returns them as (input, output).

    The variables are removed, so that a handler's child does not take itself for a host.
    """
    rpc_in = _private(int(environ.pop("TASKER_RPC_IN_FD", 0)))
    rpc_out = _private(int(environ.pop("TASKER_RPC_OUT_FD", 1)))
    del environ["TASKER_PROTOCOL"]
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(line_buffering=True, errors="backslashreplace")
    return rpc_in, rpc_out


def _private(fd):
    """Moves a descriptor away. In its place is nothing that matters, and what handlers print goes where their errors go."""
    private = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, PRIVATE)
    os.set_blocking(private, True)
    if fd == 1:
        os.dup2(2, 1)
    else:
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, fd, inheritable=fd == 0)
        os.close(null)
    return private
