"""SIGUSR1 prints the stacks of all threads, and a crash prints them too. The worker asks before it kills a process."""

import faulthandler
import os
import signal
import sys
from functools import partial


def install():
    """The stacks go to a descriptor of our own: a handler may close the standard ones and open a file in their place."""
    try:
        fd = os.dup(2)
    except OSError:
        return
    # Since Python 3.14 a crash prints C's stack too, which pushes the handler's lines out of what is kept of stderr.
    enable = partial(faulthandler.enable, c_stack=False) if sys.version_info >= (3, 14) else faulthandler.enable
    enable(file=fd)
    faulthandler.register(signal.SIGUSR1, file=fd, all_threads=True)
