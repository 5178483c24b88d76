"""sys.stdout and sys.stderr: lines that an execution prints become log records of the execution.

Other prints, and prints that exceed the budget, go to the original streams.
"""

import io
import sys
import threading
import time

from tasker_host import log

BYTES_PER_SECOND = 1 << 20
LINE_CHARS = 16 * 1024
_NAMES = {"stdout": 1, "stderr": 2}
_inherited = []


class Stream(io.TextIOBase):
    def __init__(self, original, name, level, writer, budget):
        self._original = original
        self._name = name
        self._level = level
        self._writer = writer
        self._budget = budget

    def __getattr__(self, name):  # buffer, reconfigure, name ...
        return getattr(self._original, name)

    encoding = property(lambda self: self._original.encoding)
    errors = property(lambda self: self._original.errors)

    def fileno(self):
        return self._original.fileno()

    def flush(self):
        self._original.flush()

    def isatty(self):
        return False

    def writable(self):
        return True

    def write(self, text):
        execution = log.owner()
        if execution is None or not isinstance(text, str) or not self._budget.grants(len(text)):
            return self._original.write(text)
        parts = execution.printed
        if parts is None:
            parts = execution.printed = {}
        *lines, rest = (parts.pop(self, "") + text).split("\n")
        for line in lines:
            self._log_line(execution, line)
        if len(rest) > LINE_CHARS or execution.finished:  # the rest of the line is not logged later
            self._log_line(execution, rest)
        elif rest:
            parts[self] = rest
        return len(text)

    def _log_line(self, execution, line):
        if line and not line.isspace():
            self._writer.notify("log", log.printed(execution, self._name, self._level, line))


class Budget:
    """Limits the text that is logged in one second."""

    def __init__(self):
        self._lock = threading.Lock()
        self._second = 0
        self._left = 0

    def grants(self, size):
        with self._lock:
            second = int(time.monotonic())
            if second != self._second:
                self._second, self._left = second, BYTES_PER_SECOND
            self._left -= size
            return self._left >= 0


def reopen():
    """In a forked child: replaces the streams, which may hold text or a lock of the parent."""
    for name in _NAMES:
        _inherited.append(getattr(sys, f"__{name}__"))  # a stream that is collected would write its buffer
        _open(name)


def repair():
    """Opens a standard stream again that a handler has closed."""
    for name in _NAMES:
        file = getattr(sys, f"__{name}__")
        if file is not None and file.closed:
            _open(name)


def _open(name):
    file = open(_NAMES[name], "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
    stream = getattr(sys, name)
    if isinstance(stream, Stream):
        stream._original = file
    setattr(sys, f"__{name}__", file)


def install(writer):
    budget = Budget()
    if sys.stdout is not None:
        sys.stdout = Stream(sys.stdout, "stdout", "info", writer, budget)
    if sys.stderr is not None:
        sys.stderr = Stream(sys.stderr, "stderr", "warn", writer, budget)


def end_lines(execution):
    """Sends what the execution printed last without ending the line."""
    for stream, rest in list(execution.printed.items()):
        stream._log_line(execution, rest)
    execution.printed = None
