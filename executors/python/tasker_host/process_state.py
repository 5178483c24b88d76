"""Restores the state of the process that a handler changes and later steps would see.

State of the whole process is restored when no step runs, state of a thread when its step ends.
"""

import functools
import os
import signal
import sys
import threading
import time
import traceback

from tasker_host.runtime_state import RuntimeState
from tasker_host.system_state import SystemState

LASTING_SECONDS = 10
# How often changes that the wrapped functions do not notice are looked up in the system.
CHECK_SECONDS = 1


class ProcessState:
    def __init__(self, recycle):
        """recycle is called with a reason when a change cannot be undone."""
        self._recycle = recycle
        self.cwd = os.getcwd()
        self.umask = os.umask(0o077)
        os.umask(self.umask)
        self.environ = dict(os.environ)
        self._variables = dict(_variables())
        self._streams = sys.stdout, sys.stderr
        # Whether a handler has called a function that changes the working directory or the umask, and the threads that
        # have blocked signals. Noticing the call costs less than a system call after every step.
        self._changed = False
        self._masked_threads = set()
        self._chdir, self._set_umask, self._set_mask = os.chdir, os.umask, signal.pthread_sigmask
        for name in ("chdir", "fchdir", "umask"):
            _wrap(os, name, self._note_change)
        _wrap(signal, "pthread_sigmask", self._note_mask)
        self._next_check = 0
        self._runtime = RuntimeState()
        self._system = SystemState()
        self._signals = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        self._lasting_at = time.monotonic() + LASTING_SECONDS
        self._recycle_requested = False

    def _note_change(self):
        self._changed = True

    def _note_mask(self):
        self._masked_threads.add(threading.get_ident())

    def when_ended(self):
        """Restores the thread's signal mask: a child of the next step would inherit blocked signals and not stop."""
        if self._masked_threads and threading.get_ident() in self._masked_threads:
            self._masked_threads.discard(threading.get_ident())
            self._set_mask(signal.SIG_SETMASK, self._signals)

    def keep_level(self):
        """Keeps the log level, which the worker has changed."""
        self._runtime.keep_level()

    def when_idle(self):
        """Restores everything. No step runs."""
        try:
            self._restore()
        except Exception:
            traceback.print_exc()
            self._request_recycle("what a handler changed cannot be restored")
        self._lasting_at = 0

    def _restore(self):
        now = time.monotonic()
        check = now >= self._next_check
        if check:
            self._next_check = now + CHECK_SECONDS
        if check or self._changed:
            self._changed = False
            self._set_umask(self.umask)
            if _cwd() != self.cwd:
                self._restore_directory()
        sys.stdout, sys.stderr = self._streams
        if _variables() != self._variables:
            os.environ.clear()
            os.environ.update(self.environ)
        if self._runtime.changed():
            self._runtime.restore()
        lasting = self._system.restore() if check else None
        if lasting:
            self._request_recycle("a handler changed " + ", ".join(lasting))

    def when_busy(self):
        """Every 10 s: asks for a new process if a change lasts while the process is never idle."""
        now = time.monotonic()
        if self._lasting_at and now < self._lasting_at:
            return
        overdue, self._lasting_at = self._lasting_at, now + LASTING_SECONDS
        if overdue and (_cwd() != self.cwd or _variables() != self._variables or self._runtime.changed()):
            self._request_recycle("a handler changed what all steps of the process share, while other steps ran")

    def _restore_directory(self):
        try:
            self._chdir(self.cwd)
        except OSError as error:
            self._request_recycle(f"a handler left the working directory, and the way back is gone: {error.strerror}")

    def _request_recycle(self, reason):
        if not self._recycle_requested:
            self._recycle_requested = True
            self._recycle(reason)


def _wrap(module, name, note):
    """Calls note whenever the function of that name is called."""
    original = getattr(module, name)

    @functools.wraps(original)
    def wrapped(*args, **options):
        note()
        return original(*args, **options)

    if original in os.supports_fd:
        os.supports_fd.add(wrapped)
    setattr(module, name, wrapped)


def _variables():
    """The dict behind os.environ. Comparing it takes 1 µs, comparing os.environ itself takes 20 µs."""
    return getattr(os.environ, "_data", os.environ)


def _cwd():
    try:
        return os.getcwd()
    except OSError:
        return None
