"""Messages on pipes: one JSON object per line."""

import json
import os
import threading
import time

CHUNK_BYTES = 64 * 1024
# How long a message is held back at most, and the size below which it is. If the process crashes in that time, the
# responses that are held back are lost, and their steps run again like the steps that were running.
HOLD_SECONDS = 0.0005
HOLD_BYTES = 4096
# How much of a line over the limit is kept, to find its id and method.
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
        """Waits for at least one complete line and returns the lines as a list of bytes, or None at the end of the
        pipe.

        A line over the limit is TooLong. An incomplete line at the end is dropped.
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

    def close_in_child(self):
        """Closes the pipe, in a forked child."""
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

    One thread may hold its messages back for up to 0.5 ms, to write several at once: see hold.
    """

    def __init__(self, fd):
        self._fd = fd
        self._lock = threading.Lock()
        self._held = []
        self._holder = None
        self._flush_at = 0

    def hold(self):
        """Holds back the messages of this thread until flush, a message of another thread, or the end of HOLD_SECONDS.
        """
        self._holder = threading.get_ident()

    def flush(self):
        """Writes the messages that are held back, and ends the hold."""
        self._holder = None
        if self._held:
            with self._lock:
                if self._held:  # another thread may have written it meanwhile
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

    def close_in_child(self):
        """Closes the pipe, in a forked child. Later messages are dropped, and no lock of the parent is waited for."""
        self.write = lambda message: None
        self.flush = self.hold = lambda: None
        self._held = []
        os.close(self._fd)

    def _write_held(self):
        """Writes the messages that are held back. If the worker has closed the pipe, this process ends."""
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
