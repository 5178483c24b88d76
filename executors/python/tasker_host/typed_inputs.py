"""Typed inputs: builds the dataclass or pydantic model that a handler declares, from the task's context or the step's
inputs.

Converters are made when a handler is loaded, so that a type which cannot be built is a load error. Members that the
type does not have are ignored: a context usually holds more than one handler needs.
"""

import collections.abc
import dataclasses
import datetime
import decimal
import enum
import inspect
import re
import types
import typing
import uuid

try:
    import annotationlib
except ImportError:  # before Python 3.14
    annotationlib = None

ERRORS = 10
_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FRACTION = re.compile("[.]([0-9]+)")
_WHOLE = re.compile("-?(0|[1-9][0-9]{0,307})")
_UNION_TYPES = tuple(filter(None, (typing.Union, getattr(types, "UnionType", None))))  # `X | Y` came with 3.10
_LISTS = {
    list: list, tuple: tuple, set: set, frozenset: frozenset,
    collections.abc.Sequence: list, collections.abc.Iterable: list, collections.abc.Collection: list,
}  # fmt: skip
_DICTS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)


class InvalidInput(Exception):
    """The data is not what the handler declares. No retry can change that."""


class UnknownType(Exception):
    """A type that cannot be built from JSON."""


class Inputs:
    """The arguments of a handler that declares types; they are passed by name."""

    def __init__(self, first, names, models):
        self._first = first
        self._names = names
        self._convert = {name: _converter(model, name) for name, model in models.items()}
        self._context_model = models.get(first) or models.get("context")

    @classmethod
    def of(cls, called, skip):
        """The inputs that the signature declares, or None for a handler that takes (task, sequence, step)."""
        try:
            parameters = list(signature(called).parameters.values())[skip:]
        except (TypeError, ValueError):
            return None
        models = {p.name: _resolved(p.annotation, called) for p in parameters}
        models = {name: model for name, model in models.items() if _is_model(model)}
        first = parameters[0].name if parameters and parameters[0].name in models else None
        models = {name: model for name, model in models.items() if name in (first, "context", "inputs")}
        return cls(first, [p.name for p in parameters], models) if models else None

    def arguments(self, task, sequence, step):
        given = {"task": task, "sequence": sequence, "step": step, "context": task.context, "inputs": step.inputs or {}}
        if self._first and self._first != "inputs":
            given[self._first] = task.context
        for name, convert in self._convert.items():
            given[name] = convert(given[name], "step.inputs" if name == "inputs" else "task.context")
        return {name: given[name] for name in self._names if name in given}

    def schema(self):
        """The JSON Schema of the context, or None."""
        return None if self._context_model is None else schema(self._context_model)


def signature(called):
    """The signature. Since Python 3.14 annotations are evaluated only then, and may name what a type checker alone
    knows.
    """
    if annotationlib is None:
        return inspect.signature(called)
    return inspect.signature(called, annotation_format=annotationlib.Format.FORWARDREF)


def _resolved(annotation, called):
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, getattr(called, "__globals__", {}))
    except Exception:  # a name that only a type checker knows is no model
        return None


def _is_model(kind):
    return isinstance(kind, type) and (dataclasses.is_dataclass(kind) or _is_pydantic(kind))


def _is_pydantic(kind):
    return isinstance(kind, type) and callable(getattr(kind, "model_validate", None))


def _converter(model, _name):
    convert = converter(model, {}, model.__name__)

    def build(value, path):
        errors = []
        built = convert(value, path, errors)
        if errors:
            raise InvalidInput("; ".join(errors[:ERRORS]))
        return built

    return build


def converter(kind, known, where):
    """A function of (value, path, errors) that returns the value as kind, or appends to errors what is wrong."""
    if kind in known if isinstance(kind, collections.abc.Hashable) else False:
        return lambda value, path, errors: known[kind](value, path, errors)
    if _is_pydantic(kind):
        return _pydantic(kind)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        known[kind] = None
        known[kind] = _dataclass(kind, known)
        return known[kind]
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return _literal(args)
    if origin in _UNION_TYPES:
        return _union([converter(arg, known, where) for arg in args])
    if kind in _SCALARS:
        return _SCALARS[kind]
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return _enum(kind)
    if (origin or kind) in _LISTS:
        return _list(_LISTS[origin or kind], args, known, where)
    if (origin or kind) in _DICTS:
        if not args:
            return _dict(_any, _any)
        return _dict(_key_converter(args[0], where), converter(args[1], known, where))
    raise UnknownType(f"{where}: {kind!r} cannot be built from JSON; use dataclasses, list, dict and plain values")


def _dataclass(kind, known):
    hints = typing.get_type_hints(kind)
    fields = [field for field in dataclasses.fields(kind) if field.init]
    converters = {f.name: converter(hints[f.name], known, f"{kind.__name__}.{f.name}") for f in fields}
    absent = dataclasses.MISSING
    required = {f.name for f in fields if f.default is absent and f.default_factory is absent}

    def convert(value, path, errors):
        if not isinstance(value, dict):
            return _wrong(errors, path, "an object", value)
        before = len(errors)
        errors += [f"{path}.{name} is missing" for name in sorted(required - value.keys())]
        built = {n: c(value[n], f"{path}.{n}", errors) for n, c in converters.items() if n in value}
        return _made(kind, built, path, errors) if len(errors) == before else None

    return convert


def _made(kind, members, path, errors):
    """An instance of the class. An error of its __post_init__ also counts as invalid data."""
    try:
        return kind(**members)
    except (TypeError, ValueError) as error:
        errors.append(f"{path}: {error}")
        return None


def _pydantic(kind):
    def convert(value, path, errors):
        try:
            return kind.model_validate(value)
        except ValueError as error:
            described = error.errors() if hasattr(error, "errors") else [{"loc": (), "msg": str(error)}]
            errors += ["".join([path, *map(_place, e["loc"])]) + f": {e['msg']}" for e in described]
            return None

    return convert


def _place(part):
    return f"[{part}]" if isinstance(part, int) else f".{part}"


def _union(converters):
    def convert(value, path, errors):
        first = None
        for each in converters:
            found = []
            built = each(value, path, found)
            if not found:
                return built
            if first is None or each is not _SCALARS[type(None)] and len(converters) == 2:
                first = found
        errors += first
        return None

    converters.sort(key=lambda each: each is not _SCALARS[type(None)])
    return convert


def _list(make, args, known, where):
    fixed = make is tuple and args and args[-1] is not Ellipsis
    members = [converter(arg, known, where) for arg in args if arg is not Ellipsis]

    def convert(value, path, errors):
        if not isinstance(value, list) or fixed and len(value) != len(members):
            return _wrong(errors, path, f"an array of {len(members)}" if fixed else "an array", value)
        each = members if fixed else [members[0] if members else _any] * len(value)
        built = [c(item, f"{path}[{i}]", errors) for i, (c, item) in enumerate(zip(each, value))]
        return built if errors else make(built)

    return convert


def _dict(convert_key, convert_member):
    def convert(value, path, errors):
        if not isinstance(value, dict):
            return _wrong(errors, path, "an object", value)
        built = {}
        for name, member in value.items():
            built[convert_key(name, f"{path}.{name}", errors)] = convert_member(member, f"{path}.{name}", errors)
        return built

    return convert


def _key_converter(kind, where):
    """Converts the names of members, which are text, to keys."""
    if kind in (str, typing.Any, object):
        return _any
    if kind is int:
        return _parsed(int, "a whole number as name", lambda name: _WHOLE.fullmatch(name))
    if kind in (datetime.datetime, datetime.date, decimal.Decimal, uuid.UUID):
        return _SCALARS[kind]
    if isinstance(kind, type) and issubclass(kind, enum.Enum) and all(isinstance(member.value, str) for member in kind):
        return _enum(kind)
    if typing.get_origin(kind) is typing.Literal and all(isinstance(arg, str) for arg in typing.get_args(kind)):
        return _literal(typing.get_args(kind))
    raise UnknownType(f"{where}: keys of type {kind!r} cannot be built from the names of members; use str")


def _literal(args):
    return _checked(lambda value: any(_is_same(value, arg) for arg in args), "one of " + ", ".join(map(repr, args)))


def _enum(kind):
    return _parsed(
        kind,
        "one of " + ", ".join(repr(member.value) for member in kind),
        lambda value: not any(value == member.value and not _is_same(value, member.value) for member in kind),
    )


def _is_same(value, other):
    """Whether they are the same value in JSON: in Python, True == 1."""
    return value == other and isinstance(value, bool) == isinstance(other, bool)


def _any(value, _path, _errors):
    return value


def _wrong(errors, path, want, value):
    errors.append(f"{path}: want {want}, got {_shown(value)}")


def _shown(value):
    if value is None:
        return "null"
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "an array"
    return repr(value)[:60]


def _checked(accepts, want, convert=lambda value: value):
    def check(value, path, errors):
        return convert(value) if accepts(value) else _wrong(errors, path, want, value)

    return check


def _parsed(parse, want, accepts=lambda value: True):
    def convert(value, path, errors):
        try:
            if accepts(value):
                return parse(value)
        except (ValueError, TypeError, ArithmeticError):
            pass
        return _wrong(errors, path, want, value)

    return convert


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_text(value):
    return isinstance(value, str)


def _decimal(value):
    number = decimal.Decimal(str(value))
    if not number.is_finite():
        raise ValueError
    return number


def _datetime(text):
    """Before Python 3.11, fromisoformat knows no Z, and fractions of three or six digits only."""
    text = _FRACTION.sub(lambda found: "." + found.group(1)[:6].ljust(6, "0"), text, count=1)
    moment = datetime.datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith(("Z", "z")) else text)
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)


_SCALARS = {
    typing.Any: _any,
    object: _any,
    type(None): _checked(lambda value: value is None, "null"),
    bool: _checked(lambda value: isinstance(value, bool), "true or false"),
    int: _checked(lambda value: isinstance(value, int) and not isinstance(value, bool), "a whole number"),
    float: _checked(_is_number, "a number", float),
    str: _checked(_is_text, "text"),
    datetime.datetime: _parsed(_datetime, "a time like 2026-01-31T12:00:00Z", _is_text),
    datetime.date: _parsed(
        datetime.date.fromisoformat, "a date like 2026-01-31", lambda v: _is_text(v) and _DATE.fullmatch(v)
    ),
    decimal.Decimal: _parsed(_decimal, "a decimal", lambda v: _is_text(v) or _is_number(v)),
    uuid.UUID: _parsed(uuid.UUID, "a UUID", _is_text),
}

_NAMES = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
_FORMATS = {datetime.datetime: "date-time", datetime.date: "date", uuid.UUID: "uuid"}


def schema(kind, within=()):
    """A simple JSON Schema of a type that has a converter."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if _is_pydantic(kind):
        return kind.model_json_schema()
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return {"type": "object"} if kind in within else _object_schema(kind, (*within, kind))
    if origin is typing.Literal:
        return {"enum": list(args)}
    if origin in _UNION_TYPES:
        return {"anyOf": [schema(arg, within) for arg in args]}
    if kind in _NAMES:
        return {"type": _NAMES[kind]}
    if kind in _FORMATS:
        return {"type": "string", "format": _FORMATS[kind]}
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return {"enum": [member.value for member in kind]}
    if (origin or kind) in _LISTS:
        fixed = (origin or kind) is tuple and args and args[-1] is not Ellipsis
        return {"type": "array", **({"items": schema(args[0], within)} if args and not fixed else {})}
    if (origin or kind) in _DICTS:
        return {"type": "object", **({"additionalProperties": schema(args[1], within)} if args else {})}
    return {}


def _object_schema(kind, within):
    hints, absent = typing.get_type_hints(kind), dataclasses.MISSING
    fields = [field for field in dataclasses.fields(kind) if field.init]
    properties = {field.name: schema(hints[field.name], within) for field in fields}
    required = [f.name for f in fields if f.default is absent and f.default_factory is absent]
    return {"type": "object", "properties": properties, "required": required}
