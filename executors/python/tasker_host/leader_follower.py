"""The leader/follower pattern for the thread that reads from the worker.

One thread, the leader, reads. It runs a step itself if the step's handler is known to be fast. That saves two switches
of threads, which are most of the cost of such a step. If the step takes longer than LEAD_SECONDS, the follower becomes
the leader and goes on reading.
"""

import queue
import threading
import time

# How long a step may keep the leader from reading.
LEAD_SECONDS = 0.005
# After so many checks without a step, the follower sleeps until the leader starts one.
IDLE_CHECKS_MAX = 20


class Leader:
    """One thread's time as the leader. `began` is when it stopped reading to run a step; `yielded`, that the step
    waits.
    """

    __slots__ = ("began", "thread", "yielded")

    def __init__(self):
        self.thread = threading.get_ident()
        self.began = None
        self.yielded = False


class ReaderRotation:
    def __init__(self, read):
        """read(leader) reads until the leader is replaced, or the pipe is closed."""
        self._read = read
        self._lock = threading.Lock()
        self._wake_ups = queue.SimpleQueue()
        self._leader = None
        self._follower_sleeps = False

    def begin(self):
        threading.Thread(target=self._lead, name="tasker-reader", daemon=True).start()

    def is_leader(self, leader):
        return self._leader is leader

    def run(self, work, argument):
        """Runs work(argument) on the leader's thread."""
        leader = self._leader
        leader.yielded = False
        leader.began = time.monotonic()
        if self._follower_sleeps:
            self._follower_sleeps = False
            self._wake_ups.put(None)
        try:
            work(argument)
        finally:
            with self._lock:
                leader.began = None

    def yield_lead(self):
        """Makes the follower read. Called by a thread that is about to wait for a message that has not been read yet.
        """
        leader = self._leader
        if leader and leader.thread == threading.get_ident():
            leader.yielded = True
            self._wake_ups.put(None)

    def _lead(self):
        leader = Leader()
        self._leader = leader
        threading.Thread(target=self._follow, name="tasker-follower", daemon=True).start()
        self._read(leader)

    def _follow(self):
        idle_checks = 0
        while not self._depose():
            idle_checks = idle_checks + 1 if self._leader.began is None else 0
            self._follower_sleeps = idle_checks > IDLE_CHECKS_MAX
            # A step that began just now has not seen that the follower sleeps.
            self._await_wake_up(None if self._follower_sleeps and self._leader.began is None else LEAD_SECONDS)
        self._lead()

    def _await_wake_up(self, seconds):
        try:
            self._wake_ups.get(timeout=seconds)
        except queue.Empty:
            pass

    def _depose(self):
        """Removes the leader if its step waits or has run for too long. Returns whether it did."""
        with self._lock:
            leader = self._leader
            if leader.began is None or not (leader.yielded or time.monotonic() - leader.began >= LEAD_SECONDS):
                return False
            self._leader = None
            return True
