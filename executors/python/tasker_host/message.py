"""Decodes the JSON of a message, or reports the value in it that Python cannot hold.

Without a response the worker would wait until the step's timeout. Therefore envelope finds the id of a request even in
a message that cannot be decoded.
"""

import json
import re

PATH_CHARS = 300
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]', re.DOTALL)
_OPENS, _CLOSES = frozenset(b"{["), frozenset(b"}]")


class Unreadable(Exception):
    """JSON with a value that Python cannot hold. A retry does not help."""


def _no_constant(name):
    raise ValueError(f"{name} is no JSON value")


def _float(text):
    number = float(text)
    if number - number != 0 or number == 0 and _is_not_zero(text):
        raise _OutOfRange
    return number


class _OutOfRange(ValueError):
    """A number that a float makes infinite, or zero."""


def _is_not_zero(text):
    return text.lower().partition("e")[0].strip("-0.") != ""


_decode = json.JSONDecoder(parse_constant=_no_constant, parse_float=_float).decode


def decode(data):
    """The value of JSON text in bytes. Raises Unreadable, or ValueError for what is no JSON."""
    text = data.decode()
    try:
        return _decode(text)
    except json.JSONDecodeError:
        raise
    except RecursionError:
        raise Unreadable("it is nested too deeply for Python") from None
    except ValueError as error:
        raise Unreadable(_place_of_number(text) or str(error)) from None


class _Number(str):
    """The text of a number that cannot be read."""


def _place_of_number(text):
    """A description of the first number that cannot be read, or None."""
    decoder = json.JSONDecoder(parse_constant=_Number, parse_float=_tried(_float), parse_int=_tried(int))
    waiting = [("", decoder.decode(text))]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, _Number):
            shown = value if len(value) <= 40 else f"{value[:20]}... ({len(value)} characters)"
            return f"{path[:PATH_CHARS]} is the number {shown}, which Python cannot hold"
        if isinstance(value, dict):
            prefix = "" if path in ("", "params") else path + "."
            waiting += [(prefix + name, member) for name, member in reversed(list(value.items()))]
        elif isinstance(value, list):
            waiting += [(f"{path}[{i}]", value[i]) for i in range(len(value) - 1, -1, -1)]
    return None


def _tried(parse):
    def number(text):
        try:
            return parse(text)
        except ValueError:
            return _Number(text)

    return number


def envelope(line):
    """The id and the method of a request that may be cut off or unreadable: texts of its outermost object, or None."""
    found, depth, name, last = {}, 0, None, None
    for token in _TOKEN.finditer(line):
        sign = token.group()
        first = sign[0]
        if first in _OPENS:
            depth += 1
        elif first in _CLOSES:
            depth -= 1
        elif depth != 1:
            continue
        elif sign == b":":
            name, last = last, None
        elif sign == b",":
            name = last = None
        elif name is None:
            last = _text(sign)
        else:
            found.setdefault(name, _text(sign))
            if "id" in found and "method" in found:
                break
    return found.get("id"), found.get("method")


def _text(token):
    try:
        return json.loads(token)
    except ValueError:
        return None
