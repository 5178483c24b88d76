"""What a forked child must not do with the state that it inherits from the host.

A child of os.fork() or multiprocessing has the pipe to the worker, the signal handlers, the locks as they were, and the
stack of the step. It never answers a request: its messages are dropped, its prints go to the output of the process, and
it ends when it returns from the handler.
"""

import os
import signal
import sys
import threading
import traceback

_HANDLED = (signal.SIGINT, signal.SIGTERM)

_child = False
_masks = threading.local()
_process = object()


def _begin_process():
    global _process
    _process = object()


os.register_at_fork(after_in_child=_begin_process)


def process():
    """An object that differs in each forked child. It costs less than os.getpid()."""
    return _process


def install(*resets):
    """Makes every forked child call the functions, in this order."""

    def begin():
        global _child
        _child = True
        for reset in (_reset_signals, *resets):
            try:
                reset()
            except Exception:  # the child continues without the reset
                traceback.print_exc()
        _unblock()

    os.register_at_fork(before=_block, after_in_parent=_unblock, after_in_child=begin)


def in_child():
    """Whether this process was forked from a host."""
    return _child


def _block():
    """Blocks signals until the child has its own handlers: the inherited ones would pass a signal on to the host."""
    _masks.value = signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)


def _unblock():
    signal.pthread_sigmask(signal.SIG_SETMASK, _masks.value)


def _reset_signals():
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def end_other_than(process, error=None):
    """Ends this process if it is a child of the given one: a handler that forks returns in two processes."""
    if _process is not process:
        end_child(error)


def end_child(error=None):
    """Ends this process without a message to the worker, and without running exit hooks."""
    try:
        if error is not None and not isinstance(error, SystemExit):
            traceback.print_exception(type(error), error, error.__traceback__)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    finally:
        os._exit(_status(error))


def _status(error):
    if not isinstance(error, SystemExit):
        return 0 if error is None else 1
    if error.code is None:
        return 0
    return error.code & 0xFF if isinstance(error.code, int) else 1
