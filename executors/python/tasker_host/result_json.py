"""Turns what a handler returned into JSON that every language and PostgreSQL read back unchanged, or says where and why
it cannot. See sdk/tasker.py for the rules.
"""

import dataclasses
import datetime
import decimal
import enum
import json
import re

_encode = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_CONTAINERS = (dict, list, tuple)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class Unacceptable(Exception):
    """A result that no retry can make acceptable."""


class Invalid(Unacceptable):
    pass


class TooLarge(Unacceptable):
    pass


def generate(value, max_bytes, max_depth, what="result"):
    """The JSON text of value, as bytes. what names the value in what is said about it."""
    try:
        text, converted = _encode(value), False
    except (TypeError, ValueError, RecursionError):  # the slow path converts, or names the place
        text, converted = _encode_converted(value, max_depth, what), True
    data = _utf8(text, what)
    if not converted:
        _check_depth(value, data, max_depth, what)
    if len(data) > max_bytes:
        raise too_large(len(data), max_bytes, what)
    if "\\u0000" in text and _NUL.search(text):
        raise Invalid(f"the {what} holds the character U+0000, which PostgreSQL cannot store")
    return data


def too_large(size, max_bytes, what="result"):
    hint = "store it elsewhere and return where it is"
    return TooLarge(f"the {what} is {size} bytes of JSON, more than the {max_bytes} allowed; {hint}")


def plain(value, max_bytes, max_depth):
    """value in the form in which it will be read back."""
    return json.loads(generate(value, max_bytes, max_depth))


def timestamp(moment):
    if moment.tzinfo is not None:
        moment = moment.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    return moment.isoformat(timespec="microseconds") + "Z"


def _encode_converted(value, max_depth, what):
    try:
        return _encode(_convert(value, what, max_depth))
    except (TypeError, ValueError, RecursionError) as error:
        raise Invalid(f"the {what} cannot be written as JSON: {error}") from error


def _check_depth(value, data, max_depth, what):
    """Text without its innermost pairs of brackets is a level less deep. Only brackets in strings may leave some for ever."""
    brackets = data.translate(None, _NO_BRACKETS)
    for _ in range(max_depth):
        if not brackets:
            return
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    if brackets:
        _check_levels(value, max_depth, what)


def _check_levels(value, max_depth, what):
    level = [value]
    for _ in range(max_depth + 1):
        level = [item for item in level if isinstance(item, _CONTAINERS)]
        if not level:
            return
        level = [member for item in level for member in (item.values() if isinstance(item, dict) else item)]
    raise Invalid(f"the {what} is nested deeper than {max_depth} levels")


def _utf8(text, what):
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise Invalid(f"the {what} holds a lone surrogate, which is no Unicode text") from error


def _convert(value, path, depth):
    if value is None or type(value) in (bool, int, str) or isinstance(value, (int, str)) and not isinstance(value, enum.Enum):
        return value
    if isinstance(value, float):
        return _finite(value, path)
    if isinstance(value, dict):
        depth = _deeper(depth, path)
        return {_key(key, path): _convert(member, f"{path}.{key}", depth) for key, member in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        depth = _deeper(depth, path)
        return [_convert(member, f"{path}[{i}]", depth) for i, member in enumerate(value)]
    return _convert_object(value, path, depth)


def _convert_object(value, path, depth):
    if isinstance(value, datetime.datetime):
        return timestamp(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, enum.Enum):
        return _convert(value.value, path, depth)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        depth = _deeper(depth, path)
        members = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
        return {name: _convert(member, f"{path}.{name}", depth) for name, member in members}
    if callable(getattr(value, "model_dump", None)) and not isinstance(value, type):  # pydantic
        return _convert(value.model_dump(mode="json"), path, depth)
    kind = f"{type(value).__module__}.{type(value).__qualname__}".replace("builtins.", "")
    raise Invalid(f"{path} is a {kind}, which JSON cannot hold; return dicts, lists, strings and numbers")


def _finite(number, path):
    if number - number == 0:
        return number
    raise Invalid(f"{path} is {number}, which JSON cannot hold")


def _deeper(depth, path):
    if depth > 0:
        return depth - 1
    raise Invalid(f"nested too deeply, or contains itself, at {path[:200]}")


def _key(key, path):
    if key is None or isinstance(key, (str, int, float)):
        return key
    raise Invalid(f"{path} has a key of class {type(key).__qualname__}; keys must be strings")
