"""Converts the result of a handler into JSON that every language and PostgreSQL read back unchanged.

A result that cannot be converted raises an error that names the place and the reason. The rules are in sdk/tasker.
"""

import dataclasses
import datetime
import decimal
import enum
import inspect
import json
import re
import uuid

_encode = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTAINERS = (dict, list, tuple)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
PATH_CHARS = 300


class Unacceptable(Exception):
    """The result is not valid. A retry does not help."""


class Invalid(Unacceptable):
    pass


class TooLarge(Unacceptable):
    pass


def generate(value, max_bytes, max_depth, what="result"):
    """The JSON text of value, as bytes. what is the name of the value in errors."""
    try:
        text, converted = _encode(value), False
    except (TypeError, ValueError, RecursionError):  # the slow path converts, or names the place
        text, converted = _encode_converted(value, max_depth, what), True
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        _convert(value, what, max_depth)  # names the place
        raise Invalid(f"the {what} holds a lone surrogate, which is no Unicode text") from error
    if not converted:
        _check_depth(value, data, max_depth, what)
    if len(data) > max_bytes:
        raise too_large(len(data), max_bytes, what)
    if "\\u0000" in text and _NUL.search(text):
        _convert(value, what, max_depth)  # names the place
        raise Invalid(f"the {what} holds the character U+0000, which PostgreSQL cannot store")
    return data


def too_large(size, max_bytes, what="result"):
    hint = "store it elsewhere and return where it is"
    return TooLarge(f"the {what} is {size} bytes of JSON, more than the {max_bytes} allowed; {hint}")


def plain(value, max_bytes, max_depth, what="result"):
    """value as it is read back."""
    return json.loads(generate(value, max_bytes, max_depth, what))


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
    """Removes the innermost pairs of brackets once for each level. Brackets that remain are too deep, or within
    strings.
    """
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
    _convert(value, what, max_depth)  # names the place
    raise Invalid(f"the {what} is nested deeper than {max_depth} levels")


def _convert(value, path, depth):
    """value converted to types of JSON. Raises Invalid with the place of a value that cannot be converted."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, enum.Enum):
        return _convert(value.value, path, depth)
    if isinstance(value, str):
        return _text(value, path)
    if isinstance(value, int):
        return _whole(value, path)
    if isinstance(value, float):
        return _finite(value, path)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _members({field.name: getattr(value, field.name) for field in dataclasses.fields(value)}, path, depth)
    if isinstance(value, dict):
        return _members(value, path, depth)
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
        return _decimal(value, path)
    if isinstance(value, uuid.UUID):
        return str(value)
    if callable(getattr(value, "model_dump", None)) and not isinstance(value, type):  # pydantic
        return _convert(value.model_dump(mode="json"), path, depth)
    raise _invalid(path, f"is {_a(_name(type(value)))}, which JSON cannot hold; {_instead(value)}")


def _instead(value):
    if inspect.isawaitable(value):
        return "await it"
    if inspect.isgenerator(value) or inspect.isasyncgen(value):
        return "return a list of what it yields"
    return "return dicts, lists, strings and numbers"


def _members(value, path, depth):
    depth, members = _deeper(depth, path), {}
    for key, member in value.items():
        name = _key(key, path)
        if name in members:
            raise _invalid(path, f"has two keys that are {name!r} in JSON, one of them the {_name(type(key))} {key!r}")
        members[name] = _convert(member, f"{path}.{name}", depth)
    return members


def _key(key, path):
    """The text of a key: as json writes it, or as its value is converted."""
    if isinstance(key, str) and not isinstance(key, enum.Enum):
        return _text(key, path)
    if key is None or isinstance(key, (bool, int, float)) and not isinstance(key, enum.Enum):
        return _encode(_convert(key, path, 1))
    if isinstance(key, (enum.Enum, datetime.date, decimal.Decimal, uuid.UUID)):
        name = _convert(key, path, 1)
        return name if isinstance(name, str) else _key(name, path)
    raise _invalid(path, f"has a key that is {_a(_name(type(key)))}; keys must be strings")


def _text(value, path):
    if "\0" in value:
        raise _invalid(path, "holds the character U+0000, which PostgreSQL cannot store")
    if _SURROGATE.search(value):
        raise _invalid(path, "holds a lone surrogate, which is no Unicode text")
    return value


def _whole(number, path):
    try:
        float(number)
    except OverflowError:
        raise _invalid(path, "is a number beyond ±1.8e308, which not every language reads back") from None
    return number


def _finite(number, path):
    if number - number == 0:
        return number
    raise _invalid(path, f"is {number}, which JSON cannot hold")


def _decimal(number, path):
    if number.is_finite():
        return str(number)
    raise _invalid(path, f"is the Decimal {number}, which is no number to another program")


def _deeper(depth, path):
    if depth > 0:
        return depth - 1
    raise Invalid(f"nested too deeply, or contains itself, at {path[:200]}")


def _invalid(path, what):
    return Invalid(f"{path[:PATH_CHARS]} {what}")


def _name(kind):
    return f"{kind.__module__}.{kind.__qualname__}".replace("builtins.", "")


def _a(noun):
    return ("an " if noun[0] in "aeiouAEIOU" else "a ") + noun
