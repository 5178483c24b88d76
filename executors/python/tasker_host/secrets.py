"""The secrets that handlers read. They are redacted in everything that the host logs or reports."""

import json
import threading

# The size in bytes of the shortest value that is redacted: a shorter one would redact ordinary words.
MIN_BYTES = 4
MASK = "[REDACTED]"

# The longest value comes first, because one value may be part of another. The tuple is replaced as a whole, so that
# readers need no lock.
_values = ()
_lock = threading.Lock()


def add(value):
    """Redacts value in logs and failures from now on."""
    global _values
    if isinstance(value, str) and len(value.encode("utf-8", "surrogatepass")) >= MIN_BYTES:
        spellings = value, repr(value)[1:-1], json.dumps(value)[1:-1]
        with _lock:
            _values = tuple(sorted({*_values, *spellings}, key=len, reverse=True))


def reset_in_child():
    """In a forked child: replaces the lock, which a thread of the parent may have held."""
    global _lock
    _lock = threading.Lock()


def clear():
    """Removes all values."""
    global _values
    _values = ()


def redact(text):
    """Returns text without the secrets."""
    for value in _values:
        text = text.replace(value, MASK)
    return text


def redact_all(value):
    """Redacts the strings in a JSON value."""
    if not _values:
        return value
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [redact_all(member) for member in value]
    if isinstance(value, dict):
        return {key: redact_all(member) for key, member in value.items()}
    return value
