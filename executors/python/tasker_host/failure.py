"""The failure that the worker records for an exception. All of its members are bounded."""

import importlib
import logging
import os
import traceback

import tasker
from tasker import _durations
from tasker_host import result_json, secrets
from tasker_host.text import clip
from tasker_host.typed_inputs import InvalidInput

MESSAGE_BYTES = 4096
FRAME_BYTES = 500
FRAMES = 100
CAUSES = 5
ANCESTORS = 10
CAUSE_FRAMES = 20
DETAILS_BYTES = 64 * 1024
DETAILS_DEPTH = 60
_FOLDER = os.path.dirname(os.path.realpath(__file__)) + os.sep
_HIDDEN = (_FOLDER, importlib.__file__, "<frozen importlib")
# The functions that call handlers. The frames above the last of them belong to the host, its threads and loops.
_CALLERS = {
    (_FOLDER + file, name)
    for file, names in (
        ("execution.py", ("perform", "perform_async", "_called", "_driven")),
        ("handler.py", ("call", "_instance")),
        ("loader.py", ("_import",)),
    )
    for name in names
}


def of(error):
    """The failure of an attempt in which error was raised."""
    if isinstance(error, result_json.TooLarge):
        return _unacceptable("Tasker::ResultTooLarge", error)
    if isinstance(error, result_json.Unacceptable):
        return _unacceptable("Tasker::InvalidResult", error)
    failure = {"kind": "retryable", **_description(error, FRAMES), **_ancestors(error), **_cause(error)}
    permanent = (tasker.PermanentError, tasker.NotPermitted, InvalidInput)
    if isinstance(error, permanent) or _cannot_be_called(error, failure):
        failure["kind"] = "permanent"
    _add_members(failure, error)
    return failure


def of_request(message):
    """The failure of a step whose request cannot be read. No retry can change that."""
    return _unacceptable("Tasker::InvalidArguments", message)


def of_load(file, error):
    """An exception raised while a file was loaded."""
    described = _description(error, FRAMES)
    if isinstance(error, SyntaxError):  # the place, the line and the caret
        lines = "".join(traceback.format_exception_only(type(error), error)).splitlines()[:-1]
        described["backtrace"] += [clip(line.rstrip(), FRAME_BYTES) for line in lines]
    return {"file": file, **described}


def of_slow_load(file, seconds, frame):
    """The load error of a file that has not loaded in time; frame is where it waits."""
    stack = traceback.StackSummary.extract(traceback.walk_stack(frame) if frame else ())
    message = f"the file was not loaded after {seconds:.3g} s; the others are served without it. It waited here:"
    backtrace = frames(stack[::-1])[-FRAMES:]
    return {"file": file, "class": "Tasker::LoadTimeout", "message": message, "backtrace": backtrace, "stuck": True}


def clear_traces(error):
    """Removes tracebacks and contexts from the exception: a handler may keep the object and raise it in another
    attempt.
    """
    for _ in range(CAUSES):
        if error is None:
            return
        inner = error.__cause__ or error.__context__
        error.__traceback__ = error.__context__ = None
        if error.__cause__ is not None:
            error.__cause__ = None
            error.__suppress_context__ = False
        error = inner


def frames(stack):
    """The lines of the frames outside this host, in Python's order: the innermost comes last."""
    lines = []
    for frame in _of_handler(stack):
        if frame.filename.startswith(_HIDDEN):
            continue
        lines.append(clip(f'File "{frame.filename}", line {frame.lineno}, in {frame.name}', FRAME_BYTES))
        if frame.line:
            lines.append("  " + clip(frame.line, FRAME_BYTES - 2))
    return lines


def _of_handler(stack):
    """The frames below the host's call of the handler: the first of them is the user's."""
    entry = 0
    for index, frame in enumerate(stack):
        if (frame.filename, frame.name) in _CALLERS:
            entry = index
    return stack[entry:]


def _unacceptable(name, error):
    return {"kind": "permanent", "class": name, "message": clip(error, MESSAGE_BYTES), "backtrace": []}


def _cannot_be_called(error, failure):
    """Whether the handler takes other arguments, or its class cannot be instantiated. No retry changes that."""
    return isinstance(error, TypeError) and not failure["backtrace"]


def _description(error, max_lines):
    return {
        "class": clip(_class_name(type(error)), FRAME_BYTES),
        "message": clip(error, MESSAGE_BYTES),
        "backtrace": _backtrace(error.__traceback__, max_lines),
    }


def _ancestors(error):
    """The superclasses of the error, the nearest first. Those of all errors say nothing."""
    above = [kind for kind in type(error).__mro__[1:] if issubclass(kind, BaseException) and kind not in (Exception, BaseException)]
    names = [clip(_class_name(kind), FRAME_BYTES) for kind in above[:ANCESTORS]]
    return {"ancestors": names} if names else {}


def _class_name(kind):
    if kind.__module__ == "builtins":
        return kind.__qualname__
    if kind.__module__.startswith("tasker_host."):  # raised by the host; the name is the same in all languages
        return f"Tasker::{kind.__qualname__}"
    return f"{kind.__module__}.{kind.__qualname__}"


def _backtrace(trace, max_lines):
    lines = frames(traceback.StackSummary.extract(traceback.walk_tb(trace), limit=-max_lines))
    if len(lines) <= max_lines:
        return lines
    return ["... (earlier frames left out)"] + lines[1 - max_lines :]


def _cause(error, depth=1):
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is None or depth > CAUSES:
        return {}
    return {"cause": {**_description(cause, CAUSE_FRAMES), **_cause(cause, depth + 1)}}


def _add_members(failure, error):
    """Adds the members of the exceptions of `tasker`. A member that cannot be used is logged; the others are still
    added.
    """
    if not isinstance(error, (tasker.RetryableError, tasker.PermanentError)):
        return
    details, ignored = _details(error), {}
    if isinstance(error, tasker.PermanentError):
        _add(failure, "code", lambda code: clip(code, FRAME_BYTES), error, "error_code", ignored)
    else:
        _add(failure, "retry_after_ms", _milliseconds, error, "retry_after", ignored)
    for name, reason in ignored.items():
        logging.getLogger("tasker").warning("%s is ignored: %s", name, reason)
    if ignored and (details is None or isinstance(details, dict)):
        details = {**(details or {}), **{f"{name}_ignored": reason for name, reason in ignored.items()}}
    if details is not None:
        failure["details"] = details


def _add(failure, member, convert, error, name, ignored):
    try:
        value = getattr(error, name, None)  # subclasses need not set it, or may compute it
        if value is not None:
            failure[member] = convert(value)
    except Exception as raised:
        ignored[name] = clip(raised, FRAME_BYTES)


def _milliseconds(duration):
    return round(_durations.seconds(duration) * 1000)


def _details(error):
    try:
        context = getattr(error, "context", None)
        if context is None or isinstance(context, dict) and not context:
            return None
        return secrets.redact_all(result_json.plain(context, DETAILS_BYTES, DETAILS_DEPTH, "context"))
    except Exception as raised:
        return {"details_dropped": clip(raised, FRAME_BYTES)}
