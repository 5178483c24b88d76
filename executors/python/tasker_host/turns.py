"""Whose turn it is to read.

One thread reads at a time. A step whose handler is known to be quick runs on the thread that has read it, which saves two
switches of threads, most of what such a step costs. When it is not quick after all, the thread that stands by reads on.
"""

import queue
import threading
import time

# How long a step may keep its thread from reading.
PATIENCE_SECONDS = 0.005
# So many looks without a step, and the thread that stands by sleeps until there is one.
QUIET_LOOKS = 20


class Turn:
    """One thread's turn. `began` is when it stopped reading, to run a step."""

    __slots__ = ("began", "left", "thread")

    def __init__(self):
        self.thread = threading.get_ident()
        self.began = None
        self.left = False


class Turns:
    def __init__(self, read):
        """read(turn) reads until the turn is over, or there is nothing more to read."""
        self._read = read
        self._lock = threading.Lock()
        self._bell = queue.SimpleQueue()
        self._turn = None
        self._asleep = False

    def begin(self):
        threading.Thread(target=self._take, name="tasker-reader", daemon=True).start()

    def is_over(self, turn):
        return self._turn is not turn

    def run(self, work, argument):
        """Runs work(argument) on the thread whose turn it is."""
        turn = self._turn
        turn.left = False
        turn.began = time.monotonic()
        if self._asleep:
            self._asleep = False
            self._bell.put(None)
        try:
            work(argument)
        finally:
            with self._lock:
                turn.began = None

    def leave(self):
        """Lets another thread read. Called by code that is about to wait for something that has yet to be read."""
        turn = self._turn
        if turn and turn.thread == threading.get_ident():
            turn.left = True
            self._bell.put(None)

    def _take(self):
        turn = Turn()
        self._turn = turn
        threading.Thread(target=self._stand_by, name="tasker-standby", daemon=True).start()
        self._read(turn)

    def _stand_by(self):
        quiet = 0
        while not self._overdue():
            quiet = quiet + 1 if self._turn.began is None else 0
            self._asleep = quiet > QUIET_LOOKS
            # A step that began just now has not seen that nobody looks.
            self._listen(None if self._asleep and self._turn.began is None else PATIENCE_SECONDS)
        self._take()

    def _listen(self, seconds):
        try:
            self._bell.get(timeout=seconds)
        except queue.Empty:
            pass

    def _overdue(self):
        """Whether the step that keeps the reader has run for too long. If so, that turn is over."""
        with self._lock:
            turn = self._turn
            if turn.began is None or not (turn.left or time.monotonic() - turn.began >= PATIENCE_SECONDS):
                return False
            self._turn = None
            return True
