"""The Python host: a long-lived process that runs the step handlers of one folder for tasker-worker.

It takes its two pipes first, loads the handlers of the folder that the worker names, and then runs steps until the
worker closes the pipe.
"""

import os
import signal
import sys


def main():
    if os.environ.get("TASKER_PROTOCOL") != "1":
        hint = "tasker-worker starts this program and talks to it over pipes; run `tasker-worker run` instead"
        print("tasker host: " + hint, file=sys.stderr)
        return 64
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    prepare_imports(os.path.dirname(os.path.realpath(__file__)))

    from tasker_host import fds

    try:
        rpc_in, rpc_out = fds.claim(os.environ)
    except (OSError, ValueError) as error:
        names = "TASKER_RPC_IN_FD and TASKER_RPC_OUT_FD"
        print(f"tasker host: cannot use the pipes that {names} name: {error}", file=sys.stderr)
        return 78

    from tasker_host.server import Server

    server = Server(rpc_in, rpc_out)
    sys.dont_write_bytecode = False
    return server.run()


def prepare_imports(folder):
    """Lets handlers import `tasker`, the only package in sdk/, and no module of the host. Writes no bytecode here."""
    sys.dont_write_bytecode = True
    sys.path[0] = os.path.join(folder, "sdk")

    from tasker import _host  # noqa: F401


if __name__ == "__main__":
    sys.exit(main())
