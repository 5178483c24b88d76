"""Requests of one execution to the worker. A request waits for its response until the step's time is over.

A request that waits when the step is cancelled raises Cancelled. A request that is made afterwards, for example to save
a checkpoint, has until the grace is over.
"""

import queue
import threading
import time

import tasker
from tasker_host import fork, result_json, rpc_error

PARAMS_BYTES_MAX = 1 << 20
CHECKPOINT_BYTES_MAX = 64 * 1024
JSON_DEPTH_MAX = 60
RETRY_SECONDS = 0.1
RETRY_SECONDS_MAX = 5
_CANCELLED = object()


def call(execution, client, method, params):
    """Makes a request from a thread."""
    _refuse_child(method)
    if threading.get_ident() == client.loop_thread:
        twin = {"tasks.create": "acreate_task", "secrets.get": "asecret"}.get(method) or "a" + method.partition(".")[2]
        hint = f"use `await step.{twin}(...)`"
        raise tasker.InvalidCall(f"{method} would block the event loop of all async handlers: {hint}")
    attempts = _attempts(execution, client, method, params)
    answer = None
    while True:
        try:
            wanted = attempts.send(answer)
        except StopIteration as end:
            return end.value
        inbox = queue.SimpleQueue()
        with _Interruptible(execution, inbox.put):
            answer = _exchange(execution, client, inbox, wanted)


async def acall(execution, client, method, params):
    """Makes a request from a coroutine, on the loop that runs the coroutine."""
    import asyncio

    _refuse_child(method)
    attempts = _attempts(execution, client, method, params)
    answer = None
    while True:
        try:
            wanted = attempts.send(answer)
        except StopIteration as end:
            return end.value
        inbox = _AsyncInbox(asyncio.get_running_loop())
        with _Interruptible(execution, inbox.put):
            answer = await _aexchange(execution, client, inbox, wanted)


def _refuse_child(method):
    if fork.in_child():
        hint = "only the step's own process may"
        raise tasker.CallFailed(f"{method} was called in a process that the handler has forked; {hint}")


def _attempts(execution, client, method, params):
    """Yields the method and params to send, or the seconds to pause. Receives the response, and returns its result."""
    _check_allowed(execution, client, method)
    data = _serialised(execution, method, params)
    pause = RETRY_SECONDS
    while True:
        answer = yield method, data
        error = answer.get("error")
        if error is None:
            return answer.get("result")
        code = error.get("code")
        if code == rpc_error.RATE_LIMITED:
            yield float((error.get("data") or {}).get("retry_after_ms") or 1000) / 1000
        elif code == rpc_error.UNAVAILABLE:
            yield pause
            pause = min(pause * 2, RETRY_SECONDS_MAX)
        else:
            raise _failed(execution, method, code, error.get("message"))


def _check_allowed(execution, client, method):
    if execution.finished:
        raise tasker.CallFailed(f"{method} was called after the step had ended")
    if execution.lease_lost:
        message = f"{method} is refused: the step belongs to another attempt by now"
        raise tasker.LeaseLost(message, rpc_error.STALE_LEASE)
    if method not in client.offered:
        raise tasker.NotOffered(f"the worker that runs this step does not offer {method}")


def _serialised(execution, method, params):
    bound = CHECKPOINT_BYTES_MAX if method == "step.save_checkpoint" else PARAMS_BYTES_MAX
    what = "checkpoint" if method == "step.save_checkpoint" else f"params of {method}"
    try:
        data = result_json.generate({**params, "execution_id": execution.execution_id}, bound, JSON_DEPTH_MAX, what)
    except result_json.Unacceptable as error:
        raise tasker.InvalidCall(str(error)) from None
    return data


def _failed(execution, method, code, message):
    text = f"{method}: {message or 'the worker refused it'}"
    if code == rpc_error.STALE_LEASE:
        execution.lease_lost = True
        return tasker.LeaseLost(text, code)
    if code == rpc_error.NOT_PERMITTED:
        return tasker.NotPermitted(text, code)
    return tasker.CallFailed(text, code)


class _Interruptible:
    """A wait that ends when the step is cancelled. It does not end for a step that was cancelled before the wait."""

    def __init__(self, execution, put):
        self._execution = execution
        self._wake = lambda: put(_CANCELLED)

    def __enter__(self):
        before = self._execution.cancelled
        self._execution.wakers.add(self._wake)
        if self._execution.cancelled and not before:
            self._wake()

    def __exit__(self, *_):
        self._execution.wakers.discard(self._wake)


def _exchange(execution, client, inbox, wanted):
    sent = None if isinstance(wanted, float) else client.request(*wanted, inbox.put)
    try:
        return _received(inbox.get(timeout=_seconds_left(execution, wanted)))
    except queue.Empty:
        return _timed_out(execution, wanted)
    finally:
        client.forget(sent)


async def _aexchange(execution, client, inbox, wanted):
    import asyncio

    sent = None if isinstance(wanted, float) else client.request(*wanted, inbox.put)
    try:
        return _received(await asyncio.wait_for(inbox.future, _seconds_left(execution, wanted)))
    except asyncio.TimeoutError:
        return _timed_out(execution, wanted)
    finally:
        client.forget(sent)


def _received(answer):
    if answer is _CANCELLED:
        raise tasker.Cancelled
    return answer


def _seconds_left(execution, wanted):
    """The seconds to wait, at most until the step's time is over."""
    left = None if execution.ends is None else max(0.0, execution.ends - time.monotonic())
    if not isinstance(wanted, float):
        return left
    return wanted if left is None else min(wanted, left)


def _timed_out(execution, wanted):
    """Handles a wait without a response: a pause is over, or the step's time is over, which is an error."""
    if execution.ends is None or time.monotonic() < execution.ends:
        return None
    if execution.cancelled:
        raise tasker.Cancelled
    what = "the worker could not do it" if isinstance(wanted, float) else f"the worker did not answer {wanted[0]}"
    raise tasker.CallFailed(f"{what} before the step's time was over")


class _AsyncInbox:
    def __init__(self, loop):
        self.future = loop.create_future()
        self._loop = loop

    def put(self, answer):
        try:
            self._loop.call_soon_threadsafe(self._resolve, answer)
        except RuntimeError:  # a handler created the loop and has closed it
            pass

    def _resolve(self, answer):
        if not self.future.done():
            self.future.set_result(answer)
