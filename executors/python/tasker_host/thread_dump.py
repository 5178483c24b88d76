"""SIGUSR1 prints the stacks of all threads, and a crash prints them too. The worker sends it before it kills a process.
"""

import faulthandler
import os
import signal
import sys
from functools import partial


def install():
    """Prints the stacks to a duplicate of stderr: a handler may close stderr and open a file under its number."""
    try:
        fd = os.dup(2)
    except OSError:
        return
    # Since Python 3.14 a crash also prints the C stack, which pushes the handler's lines out of the tail that is kept.
    enable = partial(faulthandler.enable, c_stack=False) if sys.version_info >= (3, 14) else faulthandler.enable
    enable(file=fd)
    faulthandler.register(signal.SIGUSR1, file=fd, all_threads=True)
