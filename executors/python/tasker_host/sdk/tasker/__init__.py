"""What handlers may use.

A handler is a class with a method `process(task, sequence, step)`, a module-level function `process`, or anything
decorated with `@tasker.handler`. All of them may be `async def`:

    import tasker

    @tasker.handler
    def charge_card(task, sequence, step):
        cart = sequence.find_step_by_name("validate_cart").results
        if cart["total"] <= 0:
            raise tasker.PermanentError("nothing to charge", error_code="EMPTY_CART")
        return {"charged": cart["total"], "order_id": task.context["order_id"]}

The returned value becomes the step's results. It must be JSON: dict, list, str, finite numbers, bool and None. Tuples
and sets become arrays, dataclasses and pydantic models objects, enums their values; datetime becomes RFC 3339 in UTC (a
naive one is taken as UTC), date becomes ISO 8601, Decimal and UUID become strings. Anything else fails the step
permanently with the class Tasker::InvalidResult and the place, as in `result.items[3]`.

Any exception fails the attempt, and the step is retried up to its limit. RetryableError and PermanentError are more
specific. Records of the standard `logging` module, prints and warnings reach the worker's log with their step.
"""

import contextvars
from collections import namedtuple

from tasker import _durations

__all__ = [
    "CallFailed",
    "Cancelled",
    "Deferred",
    "Error",
    "InvalidCall",
    "LeaseLost",
    "NotOffered",
    "NotPermitted",
    "PermanentError",
    "RetryableError",
    "current_step",
    "handler",
]

_current = contextvars.ContextVar("tasker_step", default=None)


class Error(Exception):
    """The superclass of the errors below."""


class RetryableError(Error):
    """Fails the attempt and asks for the next one after `retry_after`: seconds, a timedelta, or a datetime or date to
    wait for.
    """

    def __init__(self, message="", retry_after=None, context=None):
        super().__init__(message)
        self.retry_after = retry_after
        self.context = context


class PermanentError(Error):
    """Fails the step permanently: it is not retried, whatever its limit."""

    def __init__(self, message="", error_code=None, context=None):
        super().__init__(message)
        self.error_code = error_code
        self.context = context


class InvalidCall(PermanentError, ValueError, RuntimeError):
    """A call that a retry does not correct, for example with data that is no JSON. The step fails permanently unless it
    catches this.
    """


class Deferred(Error):
    """Gives the step back: it runs again after `resume_after`, given like `retry_after`, and no attempt is counted.

    The next run finds `checkpoint` in `step.checkpoint`.
    """

    def __init__(self, resume_after, checkpoint=None):
        try:
            seconds = _durations.seconds(resume_after)
        except ValueError as error:
            raise InvalidCall(f"resume_after: {error}") from None
        super().__init__(f"deferred for {seconds} s")
        self.resume_after = seconds
        self.checkpoint = checkpoint


class Cancelled(BaseException):
    """The step was cancelled. Like asyncio.CancelledError it is no Exception, so that `except Exception` lets it pass.
    """


class CallFailed(Error):
    """The worker could not do what the step asked for. `code` is its error code, if it gave one."""

    def __init__(self, message="", code=None):
        super().__init__(message)
        self.code = code


class LeaseLost(CallFailed):
    """The step belongs to another attempt by now: stop, and cause no more effects."""


class NotPermitted(CallFailed):
    """The handler is not allowed to make this request. The step fails permanently unless it catches this."""


class NotOffered(CallFailed):
    """The worker that runs this step does not offer the call."""


def current_step():
    """The step whose handler runs here, or None."""
    step = _current.get()
    return None if step is None or step._execution.finished else step


_Mark = namedtuple("_Mark", "module name exclusive cpu")


def handler(target=None, *, exclusive=False, cpu=False):
    """Serves a function or class as `<module>.<name>`, or under exactly the name given: `@tasker.handler("Any::Name")`.

    An `exclusive` handler never shares its process with another step. A `cpu` handler computes in a process of its own.
    """
    if target is None or isinstance(target, str):
        return lambda decorated: _mark(decorated, target, exclusive, cpu)
    return _mark(target, None, exclusive, cpu)


def _mark(decorated, name, exclusive, cpu):
    decorated.__tasker_handler__ = _Mark(decorated.__module__, name, exclusive, cpu)
    return decorated
