"""Messages on pipes: one JSON object per line."""

import json
import os
import threading
import time

CHUNK_BYTES = 64 * 1024
# How long a message is held back at most, and how small it must be. A crash in that time costs what is held: the steps that were
# answered run again, like those that ran beside the crash.
HOLD_SECONDS = 0.0005
HOLD_BYTES = 4096
# What is kept of a line over the limit: enough for its id and method.
HEAD_BYTES = 256

_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


class TooLong(bytes):
    """The beginning of a line over the limit."""


class LineReader:
    """Reads lines from a pipe, in large chunks and with a bound on the length of a line."""

    def __init__(self, fd, max_bytes):
        self._fd = fd
        self._parts, self._size = [], 0
        # The longest line accepted, in bytes without its newline.
        self.max_bytes = max_bytes

    def read(self):
        """The complete lines that have come, as a list of bytes, waiting for one; None when the writer has closed the pipe.

        A line that was longer than the limit is TooLong. Half a line at the end is dropped.
        """
        lines = []
        while not lines:
            chunk = self._read()
            if not chunk:
                return None
            *ends, rest = chunk.split(b"\n")
            for end in ends:
                self._append(end)
                lines.append(b"".join(self._parts) if self._size <= self.max_bytes else TooLong(self._parts[0]))
                self._parts, self._size = [], 0
            self._append(rest)
        return lines

    def silence(self):
        """Lets go of the pipe."""
        os.close(self._fd)

    def lines(self):
        """Yields all lines until the writer closes the pipe."""
        while (lines := self.read()) is not None:
            yield from lines

    def _append(self, part):
        self._size += len(part)
        self._parts.append(part)
        if self._size > self.max_bytes:
            self._parts = [b"".join(self._parts)[:HEAD_BYTES]]

    def _read(self):
        try:
            return os.read(self._fd, CHUNK_BYTES)
        except OSError:
            return b""


class Writer:
    """Writes one message per line. A line is written whole before the next one, whichever thread sends it.

    One thread may hold its messages back for a moment, to write several at once: see hold.
    """

    def __init__(self, fd):
        self._fd = fd
        self._lock = threading.Lock()
        self._held = []
        self._holder = None
        self._flush_at = 0

    def hold(self):
        """What this thread writes from now on waits for flush, or for a message of another thread, or for a moment."""
        self._holder = threading.get_ident()

    def flush(self):
        """Writes what is held back. Nobody holds anything any more."""
        self._holder = None
        if self._held:
            with self._lock:
                if self._held:  # another thread's message may have taken it along meanwhile
                    self._write_held()

    def result(self, request_id, result):
        self.write(b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (encode(request_id), encode(result)))

    def error(self, request_id, code, message, data=None):
        error = {"code": code, "message": message}
        if data is not None:
            error["data"] = data
        self.write(encode({"jsonrpc": "2.0", "id": request_id, "error": error}))

    def notify(self, method, params):
        self.write(encode({"jsonrpc": "2.0", "method": method, "params": params}))

    def write(self, message):
        """Sends a message that is JSON already."""
        with self._lock:
            self._held.append(message)
            if self._holder == threading.get_ident():
                now = time.monotonic()
                if len(self._held) == 1:
                    self._flush_at = now + HOLD_SECONDS
                if now < self._flush_at and len(message) < HOLD_BYTES:
                    return
            self._write_held()

    def silence(self):
        """Lets go of the pipe. What is written from now on goes nowhere, and no thread's lock is waited for."""
        self.write = lambda message: None
        self.flush = self.hold = lambda: None
        self._held = []
        os.close(self._fd)

    def _write_held(self):
        """When nobody reads any more the worker is dead, and so is this process."""
        lines = b"\n".join(self._held)
        self._held.clear()
        try:
            write_line(self._fd, lines)
        except OSError:
            os._exit(0)


def write_line(fd, message):
    line = message + b"\n"
    written = os.write(fd, line)
    while written < len(line):
        written += os.write(fd, memoryview(line)[written:])


def encode(value):
    """JSON of a value that the host itself made."""
    return _encode(value).encode()
