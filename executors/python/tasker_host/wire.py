"""Messages on pipes: one JSON object per line."""

import json
import os
import threading

CHUNK_BYTES = 64 * 1024

_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


class LineReader:
    """Reads lines from a pipe, in large chunks and with a bound on the length of a line."""

    def __init__(self, fd, max_bytes):
        self._fd = fd
        # The longest line accepted, in bytes without its newline.
        self.max_bytes = max_bytes

    def lines(self):
        """Yields every complete line as bytes, and None for one that was longer than the limit.

        Ends when the writer closes the pipe; half a line at the end is dropped.
        """
        parts, size = [], 0
        while chunk := self._read():
            *ends, rest = chunk.split(b"\n")
            for end in ends:
                parts.append(end)
                yield b"".join(parts) if size + len(end) <= self.max_bytes else None
                parts, size = [], 0
            parts.append(rest)
            size += len(rest)
            if size > self.max_bytes:
                parts.clear()

    def _read(self):
        try:
            return os.read(self._fd, CHUNK_BYTES)
        except OSError:
            return b""


class Writer:
    """Writes one message per line. A line is written whole before the next one, whichever thread sends it."""

    def __init__(self, fd):
        self._fd = fd
        self._lock = threading.Lock()

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
        """Sends a message that is JSON already. When nobody reads any more the worker is dead, and so is this process."""
        try:
            with self._lock:
                write_line(self._fd, message)
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
