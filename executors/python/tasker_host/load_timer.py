"""Bounds the time that handler files take to load. The host goes on without a file that does not finish."""

import sys
import threading
import time

# The part of the remaining time in which a file loads alone. Afterwards the next file begins to load at the same time.
ALONE = 0.1
# How long the timer waits for a file that it has interrupted.
END_SECONDS = 0.05


class LoadTimeout(BaseException):
    """Raised in the code of a file that does not finish loading. It is no Exception: `except Exception` does not catch
    it.
    """


class LoadTimer:
    """The time in which all files have to load. A slow file goes on loading while the next ones load."""

    def __init__(self, seconds, each):
        """each is how many of the seconds one file may take."""
        self.each = each
        self._ends = time.monotonic() + seconds
        self._late = []

    def run(self, name, work):
        """Runs work in a thread, and returns when work has ended or has had its time alone."""
        thread = threading.Thread(target=work, name="tasker-loader", daemon=True)
        began = time.monotonic()
        thread.start()
        thread.join(max(0.0, self._ends - began) * ALONE)
        if thread.is_alive():
            self._late.append((name, thread, began))

    def unfinished(self):
        """Interrupts the work that has not ended in time. Returns each as its name and innermost frame."""
        for _, thread, began in self._late:
            thread.join(max(0.0, min(self._ends, began + self.each) - time.monotonic()))
        frames = sys._current_frames()
        left = [(name, thread, frames.get(thread.ident)) for name, thread, _ in self._late if thread.is_alive()]
        for _, thread, _ in left:
            _interrupt(thread)
        return [(name, frame) for name, _, frame in left]


def _interrupt(thread):
    """Raises LoadTimeout in the thread. A thread that waits in a system call ends when the call returns."""
    try:
        import ctypes

        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(LoadTimeout))
    except (ImportError, AttributeError):  # another Python than CPython
        return
    thread.join(END_SECONDS)
