"""Sends the records of the standard `logging` module to the worker, with the execution to which they belong."""

import datetime
import logging
import sys

import tasker
from tasker_host import fork, result_json, secrets
from tasker_host.text import clip

MESSAGE_BYTES = 16 * 1024
ATTRS_BYTES = 16 * 1024
ATTRS_DEPTH = 16
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def owner():
    """The execution to which the running code belongs, or None. An execution that has ended still owns the threads and
    tasks that it left: their output must not appear as output of the step that runs now.
    """
    step = tasker._current.get()
    return None if step is None or fork.in_child() else step._execution


def printed(execution, stream, level, line):
    """The params of a log notification for a printed line."""
    now = datetime.datetime.now(datetime.timezone.utc)
    record = {"level": level, "message": clip(line, MESSAGE_BYTES), "ts": result_json.timestamp(now), "logger": stream}
    return {**record, "execution_id": execution.execution_id}


class Handler(logging.Handler):
    def __init__(self, writer):
        super().__init__()
        self._writer = writer

    def emit(self, record):
        try:
            if fork.in_child():
                print(self.format(record), file=sys.stderr)
            else:
                self._writer.notify("log", self._params(record))
        except Exception:  # a log call must not fail the step
            self.handleError(record)

    def _params(self, record):
        params = {
            "level": _level(record.levelno),
            "message": clip(self.format(record), MESSAGE_BYTES),
            "ts": result_json.timestamp(datetime.datetime.fromtimestamp(record.created, datetime.timezone.utc)),
            "logger": clip(record.name, 200),
        }
        execution = owner()
        if execution:
            params["execution_id"] = execution.execution_id
        attrs = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if attrs:
            params["attrs"] = _safe(attrs)
        return params


def install(writer):
    root = logging.getLogger()
    root.addHandler(Handler(writer))
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)


def set_level(name):
    """Sets the least level that is sent; an unknown name changes nothing."""
    level = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}.get(name)
    if level is not None:
        logging.getLogger().setLevel(level)


def _level(number):
    if number >= logging.ERROR:
        return "error"
    if number >= logging.WARNING:
        return "warn"
    return "info" if number >= logging.INFO else "debug"


def _safe(attrs):
    try:
        return secrets.redact_all(result_json.plain(attrs, ATTRS_BYTES, ATTRS_DEPTH))
    except result_json.Unacceptable as error:
        return {"attrs_dropped": clip(error, 500)}
