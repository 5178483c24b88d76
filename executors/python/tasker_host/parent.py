"""Ties the life of this process to its parent."""

import signal

PR_SET_PDEATHSIG = 1


def die_with_parent():
    """Makes the kernel kill this process when its parent ends: native code may hold the GIL, and then no thread
    notices.
    """
    try:
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    except (ImportError, OSError, AttributeError):  # another system than Linux
        pass
