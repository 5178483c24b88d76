"""Payloads too large for a message, as files in the folder that the worker made for the execution."""

import hashlib
import os
import stat

from tasker_host import message


class BadFile(Exception):
    """A payload file that does not match its description."""


def write(folder, data):
    """Writes data to a new file and returns what the worker needs to read it."""
    name = f"result-{os.urandom(8).hex()}.json"
    fd = os.open(os.path.join(folder, name), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
    return {"path": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def read(folder, described, max_bytes):
    """The JSON object in the file that the worker described."""
    name, size, digest = (described.get(member) for member in ("path", "bytes", "sha256"))
    if not isinstance(name, str) or name in ("", ".", "..") or "/" in name or "\0" in name:
        raise BadFile("params_file.path must be one name below scratch_dir")
    if not isinstance(size, int) or not 0 <= size <= max_bytes:
        raise BadFile(f"params_file.bytes must be at most {max_bytes}")
    data = _content(os.path.join(folder, name), size)
    if len(data) != size or hashlib.sha256(data).hexdigest() != digest:
        raise BadFile(f"{name} is not the file that was described: its size or hash differs")
    value = message.decode(data)
    if not isinstance(value, dict):
        raise BadFile(f"{name} must hold one JSON object")
    return value


def _content(path, size):
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise BadFile(f"{path} is no regular file")
        return file.read(size + 1)
