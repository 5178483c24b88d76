"""What an exception means for the step, as the worker records it. Everything in it is bounded."""

import importlib
import os
import traceback

import tasker
from tasker_host import result_json, secrets
from tasker_host.text import clip
from tasker_host.typed import InvalidInput

MESSAGE_BYTES = 4096
FRAME_BYTES = 500
FRAMES = 100
CAUSES = 5
CAUSE_FRAMES = 20
DETAILS_BYTES = 64 * 1024
DETAILS_DEPTH = 60
_HIDDEN = (os.path.dirname(os.path.realpath(__file__)) + os.sep, importlib.__file__, "<frozen importlib")


def of(error):
    """The failure of an attempt in which error was raised."""
    if isinstance(error, result_json.TooLarge):
        return _unacceptable("Tasker::ResultTooLarge", error)
    if isinstance(error, result_json.Unacceptable):
        return _unacceptable("Tasker::InvalidResult", error)
    permanent = isinstance(error, (tasker.PermanentError, tasker.NotPermitted, InvalidInput))
    failure = {"kind": "permanent" if permanent else "retryable", **_description(error, FRAMES), **_cause(error)}
    if getattr(error, "error_code", None) is not None and isinstance(error, tasker.PermanentError):
        failure["code"] = clip(error.error_code, FRAME_BYTES)
    if isinstance(error, tasker.RetryableError):
        _add(failure, "retry_after_ms", milliseconds(error.retry_after))
    if isinstance(error, (tasker.RetryableError, tasker.PermanentError)):
        _add(failure, "details", _details(error.context))
    return failure


def of_load(file, error):
    """An exception raised while a file was loaded."""
    described = _description(error, FRAMES)
    if isinstance(error, SyntaxError):  # the place, the line and the caret
        lines = "".join(traceback.format_exception_only(type(error), error)).splitlines()[:-1]
        described["backtrace"] += [clip(line.rstrip(), FRAME_BYTES) for line in lines]
    return {"file": file, **described}


def _unacceptable(name, error):
    return {"kind": "permanent", "class": name, "message": clip(error, MESSAGE_BYTES), "backtrace": []}


def _description(error, max_lines):
    return {
        "class": clip(_class_name(type(error)), FRAME_BYTES),
        "message": clip(error, MESSAGE_BYTES),
        "backtrace": _backtrace(error.__traceback__, max_lines),
    }


def _class_name(kind):
    if kind.__module__ == "builtins":
        return kind.__qualname__
    if kind.__module__.startswith("tasker_host."):  # raised by the host; the name is the same in every language
        return f"Tasker::{kind.__qualname__}"
    return f"{kind.__module__}.{kind.__qualname__}"


def _backtrace(trace, max_lines):
    """The lines of the traceback outside this host, in Python's order: the innermost frame comes last."""
    lines = []
    for frame in traceback.StackSummary.extract(traceback.walk_tb(trace), limit=-max_lines):
        if frame.filename.startswith(_HIDDEN):
            continue
        lines.append(clip(f'File "{frame.filename}", line {frame.lineno}, in {frame.name}', FRAME_BYTES))
        if frame.line:
            lines.append("  " + clip(frame.line, FRAME_BYTES - 2))
    if len(lines) <= max_lines:
        return lines
    return ["... (earlier frames left out)"] + lines[1 - max_lines :]


def _cause(error, depth=1):
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is None or depth > CAUSES:
        return {}
    return {"cause": {**_description(cause, CAUSE_FRAMES), **_cause(cause, depth + 1)}}


def _details(context):
    if not context:
        return None
    try:
        return secrets.redact_all(result_json.plain(context, DETAILS_BYTES, DETAILS_DEPTH))
    except result_json.Unacceptable as error:
        return {"details_dropped": clip(error, FRAME_BYTES)}


def milliseconds(seconds):
    try:
        value = round(float(seconds) * 1000)
    except (TypeError, ValueError, OverflowError):
        return None
    return value if value >= 0 else None


def _add(failure, name, value):
    if value is not None:
        failure[name] = value
