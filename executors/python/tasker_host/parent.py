"""The life of a process that another one has started for itself."""

import signal

PR_SET_PDEATHSIG = 1


def die_with_parent():
    """Has the kernel end this process with its parent: code that computes outside of Python lets nobody read the pipe's end."""
    try:
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    except (ImportError, OSError, AttributeError):  # another system than Linux
        pass
