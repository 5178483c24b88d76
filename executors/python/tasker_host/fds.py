"""The file descriptors of the protocol.

Handlers may print, close stdout or start children. None of that may reach the pipes to the worker. Therefore the pipes
have private numbers, and are closed in every child.
"""

import fcntl
import os
import sys

# The lowest number of a private descriptor: code that closes "all" descriptors often closes only the first few.
PRIVATE = 10


def claim(environ):
    """Takes the pipes that environ names (by default 0 and 1) and returns them as (input, output).

    Removes the variables: otherwise a child of a handler could act as a host.
    """
    rpc_in = _private(int(environ.pop("TASKER_RPC_IN_FD", 0)))
    rpc_out = _private(int(environ.pop("TASKER_RPC_OUT_FD", 1)))
    del environ["TASKER_PROTOCOL"]
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(line_buffering=True, errors="backslashreplace")
    return rpc_in, rpc_out


def _private(fd):
    """Moves a descriptor to a private number. The old number leads to /dev/null, or to stderr if it is stdout."""
    private = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, PRIVATE)
    os.set_blocking(private, True)
    if fd == 1:
        os.dup2(2, 1)
    else:
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, fd, inheritable=fd == 0)
        os.close(null)
    return private
