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
and sets become arrays, datetime becomes RFC 3339 in UTC (a naive one is taken as UTC), date becomes ISO 8601, Decimal
becomes a string; anything else fails the step for good with the class Tasker::InvalidResult.

Any exception fails the attempt, and the step is retried up to its limit. The two classes below say more. What is logged
with the standard `logging` module reaches the worker's log with the step that it belongs to.
"""

__all__ = ["Error", "PermanentError", "RetryableError", "handler"]


class Error(Exception):
    """The superclass of the errors below."""


class RetryableError(Error):
    """Fails the attempt and asks for the next one after `retry_after` seconds."""

    def __init__(self, message="", retry_after=None, context=None):
        super().__init__(message)
        self.retry_after = retry_after
        self.context = context


class PermanentError(Error):
    """Fails the step for good: it is not retried, whatever its limit."""

    def __init__(self, message="", error_code=None, context=None):
        super().__init__(message)
        self.error_code = error_code
        self.context = context


def handler(target=None):
    """Serves a function or class as `<module>.<name>`, or under exactly the name given: `@tasker.handler("Any::Name")`."""
    if target is None or isinstance(target, str):
        return lambda decorated: _mark(decorated, target)
    return _mark(target, None)


def _mark(decorated, name):
    decorated.__tasker_handler__ = (decorated.__module__, name)
    return decorated
