"""What a handler may have changed and later steps would see. What belongs to the whole process is put back when no step runs
any more, what belongs to the thread when the step ends.
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

PATIENCE_SECONDS = 10
# How often the system is asked for what nobody here has been seen to change.
LOOK_SECONDS = 1


class ProcessState:
    def __init__(self, recycle):
        """recycle is called with a reason when something cannot be put back."""
        self._recycle = recycle
        self.cwd = os.getcwd()
        self.umask = os.umask(0o077)
        os.umask(self.umask)
        self.environ = dict(os.environ)
        self._variables = dict(_variables())
        self._streams = sys.stdout, sys.stderr
        # Whether somebody has called what changes the working directory or the umask, and the threads that have blocked signals:
        # to notice the call costs less than to ask the system after every step.
        self._touched = False
        self._masked = set()
        self._chdir, self._set_umask, self._set_mask = os.chdir, os.umask, signal.pthread_sigmask
        for name in ("chdir", "fchdir", "umask"):
            _watch(os, name, self._touch)
        _watch(signal, "pthread_sigmask", self._mask)
        self._next_look = 0
        self._runtime = RuntimeState()
        self._system = SystemState()
        self._signals = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        self._look_at = time.monotonic() + PATIENCE_SECONDS
        self._asked = False

    def _touch(self):
        self._touched = True

    def _mask(self):
        self._masked.add(threading.get_ident())

    def when_ended(self):
        """Puts back the thread. A child of the next step would not be stopped by signals that are blocked in it."""
        if self._masked and threading.get_ident() in self._masked:
            self._masked.discard(threading.get_ident())
            self._set_mask(signal.SIG_SETMASK, self._signals)

    def keep_level(self):
        """The level of the log is the worker's to change."""
        self._runtime.keep_level()

    def when_idle(self):
        """Puts everything back. No step runs."""
        try:
            self._restore()
        except Exception:
            traceback.print_exc()
            self._ask("what a handler changed cannot be put back")
        self._look_at = 0

    def _restore(self):
        now = time.monotonic()
        looks = now >= self._next_look
        if looks:
            self._next_look = now + LOOK_SECONDS
        if looks or self._touched:
            self._touched = False
            self._set_umask(self.umask)
            if _cwd() != self.cwd:
                self._return()
        sys.stdout, sys.stderr = self._streams
        if _variables() != self._variables:
            os.environ.clear()
            os.environ.update(self.environ)
        if self._runtime.changed():
            self._runtime.restore()
        lasting = self._system.restore() if looks else None
        if lasting:
            self._ask("a handler changed " + ", ".join(lasting))

    def when_busy(self):
        """Now and then: asks for a new process when a change lasts and the process is never idle."""
        now = time.monotonic()
        if self._look_at and now < self._look_at:
            return
        overdue, self._look_at = self._look_at, now + PATIENCE_SECONDS
        if overdue and (_cwd() != self.cwd or _variables() != self._variables or self._runtime.changed()):
            self._ask("a handler changed what all steps of the process share, while others run")

    def _return(self):
        try:
            self._chdir(self.cwd)
        except OSError as error:
            self._ask(f"a handler left the working directory, and the way back is gone: {error.strerror}")

    def _ask(self, reason):
        if not self._asked:
            self._asked = True
            self._recycle(reason)


def _watch(module, name, note):
    """Has note called whenever the function of that name is."""
    original = getattr(module, name)

    @functools.wraps(original)
    def watched(*args, **options):
        note()
        return original(*args, **options)

    if original in os.supports_fd:
        os.supports_fd.add(watched)
    setattr(module, name, watched)


def _variables():
    """The environment as os.environ keeps it: comparing that costs a microsecond, comparing os.environ itself twenty."""
    return getattr(os.environ, "_data", os.environ)


def _cwd():
    try:
        return os.getcwd()
    except OSError:
        return None
