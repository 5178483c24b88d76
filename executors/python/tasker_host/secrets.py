"""The secrets that handlers have been given. They are cut out of everything that is logged or reported."""

import json
import threading

SHORTEST = 4
MASK = "[FILTERED]"

# The longest first: one may be part of another. Replaced as a whole, so that reading it needs no lock.
_values = ()
_lock = threading.Lock()


def add(value):
    """Keeps value out of logs and failures from now on."""
    global _values
    if isinstance(value, str) and len(value) >= SHORTEST:
        spellings = value, repr(value)[1:-1], json.dumps(value)[1:-1]
        with _lock:
            _values = tuple(sorted({*_values, *spellings}, key=len, reverse=True))


def end_in_child():
    """In a forked child: a thread of the parent may have held the lock."""
    global _lock
    _lock = threading.Lock()


def forget():
    """Gives all of them up."""
    global _values
    _values = ()


def redact(text):
    """text without the secrets."""
    for value in _values:
        text = text.replace(value, MASK)
    return text


def redact_all(value):
    """The same for the strings in a value of JSON."""
    if not _values:
        return value
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [redact_all(member) for member in value]
    if isinstance(value, dict):
        return {key: redact_all(member) for key, member in value.items()}
    return value
