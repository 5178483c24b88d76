"""Runs what may never return, and goes on without it."""

import sys
import threading
import time

# The part of the time that is left for which nothing else is begun beside a piece of work.
ALONE = 0.1
# How long something that has been told to end is waited for.
END_SECONDS = 0.05


class TookTooLong(BaseException):
    """Raised in what has taken too long. It is no Exception, so that `except Exception` lets it pass."""


class Patience:
    """The time that several pieces of work have together. One that takes long goes on beside the next ones."""

    def __init__(self, seconds, each):
        """each is how many of the seconds a single one may take."""
        self.each = each
        self._ends = time.monotonic() + seconds
        self._late = []

    def run(self, name, work):
        """Runs work in a thread, and returns when it has ended, or has had its time alone."""
        thread = threading.Thread(target=work, name="tasker-loader", daemon=True)
        began = time.monotonic()
        thread.start()
        thread.join(max(0.0, self._ends - began) * ALONE)
        if thread.is_alive():
            self._late.append((name, thread, began))

    def unfinished(self):
        """What has not ended in its time, each as name and innermost frame. It is told to end, and left behind."""
        for _, thread, began in self._late:
            thread.join(max(0.0, min(self._ends, began + self.each) - time.monotonic()))
        frames = sys._current_frames()
        left = [(name, thread, frames.get(thread.ident)) for name, thread, _ in self._late if thread.is_alive()]
        for _, thread, _ in left:
            _interrupt(thread)
        return [(name, frame) for name, _, frame in left]


def _interrupt(thread):
    """Raises TookTooLong in the thread. One that waits in the system ends when that returns."""
    try:
        import ctypes

        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(TookTooLong))
    except (ImportError, AttributeError):  # another Python than CPython
        return
    thread.join(END_SECONDS)
