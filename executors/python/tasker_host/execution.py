"""One execution of one step: calls the handler and makes the response of its result or exception."""

import inspect
import logging
import queue
import threading
import time

import tasker
from tasker_host import arguments, callbacks, failure, fork, payload_file, result_json, secrets
from tasker_host.step import Step
from tasker_host.text import clip
from tasker_host.wire import encode

HEARTBEAT_SECONDS = 1
HEARTBEAT_BYTES = 4096
HEARTBEAT_DEPTH = 16
CHECKPOINT_LIMITS = {
    "max_bytes": callbacks.CHECKPOINT_BYTES_MAX,
    "max_depth": callbacks.JSON_DEPTH_MAX,
    "what": "checkpoint",
}


class Execution:
    def __init__(self, request_id, params, handler, limits, client):
        self.execution_id = params["execution_id"]
        self.handler = handler
        self.started = time.monotonic()
        timeout = params.get("timeout_ms")
        # The monotonic time at which the step's time is over, or its grace if it is cancelled; None without a limit.
        self.ends = self.started + timeout / 1000 if isinstance(timeout, (int, float)) else None
        self.cancel_reason = None
        self.cancelled = False
        self.checkpoint_assigned = False
        self.finished = False
        self.lease_lost = False
        # Functions to call when the step is cancelled.
        self.wakers = set()
        # The lines that the handler has begun to print, by stream.
        self.printed = None
        self.step = None
        self._request_id = request_id
        self._params = params
        self._limits = limits
        self._client = client
        self._next_heartbeat = 0
        self._process = fork.process()

    @property
    def on_loop(self):
        """Whether the event loop performs it."""
        return self.handler.is_async

    def finish(self, loop):
        """Waits for the response in this thread, also if the event loop performs the execution."""
        if not self.on_loop:
            return self.perform(loop)
        responses = queue.SimpleQueue()

        async def perform():
            self._client.loop_thread = threading.get_ident()
            responses.put(await self.perform_async(loop))

        loop.start(perform())
        return responses.get()

    def perform(self, loop):
        """Runs the handler in this thread and returns the response. A coroutine that the handler returns is awaited on
        the loop.

        A result that cannot be serialised is a failure of the handler.
        """
        before = time.thread_time()
        try:
            result = self._called()
            if inspect.iscoroutine(result):
                result, before = loop.wait_for(self._driven(result, loop)), None
            self._end_forked_child()
            return self._success(result, before)
        except BaseException as error:  # sys.exit() ends the step, not the host
            return self._ended(error)

    async def perform_async(self, loop):
        """Runs the handler on the event loop and returns the response."""
        try:
            with loop.cancelling(self):
                result = await self._called()
            self._end_forked_child()
            return self._success(result)
        except BaseException as error:
            return self._ended(error)

    async def _driven(self, coroutine, loop):
        try:
            with loop.cancelling(self):
                return await coroutine
        except BaseException as error:
            self._end_forked_child(error)
            raise
        finally:
            self._end_forked_child()

    def _called(self):
        self.step = Step(self._params, self)
        tasker._current.set(self.step)
        self.check()
        task = arguments.Task(self._params["task"])
        sequence = arguments.Sequence(self._params.get("dependencies") or {})
        return self.handler.call(task, sequence, self.step)

    def cancel(self, reason, grace):
        """Asks the handler to stop. Called from the reader's thread."""
        if self.cancelled:
            return
        self.cancel_reason = reason
        self.ends = time.monotonic() + grace
        self.lease_lost = self.lease_lost or reason == "lease_lost"
        self.cancelled = True
        for wake in list(self.wakers):
            wake()

    def check(self):
        if self.cancelled:
            raise tasker.Cancelled(f"cancelled: {self.cancel_reason}")

    def heartbeat(self, progress, message, details):
        self.check()
        now = time.monotonic()
        if self.finished or now < self._next_heartbeat:
            return
        members = _heartbeat_members(progress, message, details)
        self._client.notify("step.heartbeat", {"execution_id": self.execution_id, **members})
        self._next_heartbeat = now + self._heartbeat_interval()

    def _heartbeat_interval(self):
        within = self._params.get("heartbeat_timeout_ms")
        return min(HEARTBEAT_SECONDS, within / 4000) if within else HEARTBEAT_SECONDS

    def call(self, method, params):
        return callbacks.call(self, self._client, method, params)

    async def acall(self, method, params):
        return await callbacks.acall(self, self._client, method, params)

    def secret(self, result):
        secrets.add(result["value"])
        return result["value"]

    def _success(self, result, before=None):
        data = result_json.generate(result, self._limits["max_file_bytes"], self._limits["max_depth"])
        member = b'"result":%b' % data
        if len(data) > self._limits["max_bytes"]:
            member = b'"result_file":%b' % encode(self._stored(data))
        cpu_ms = 0 if before is None else round((time.thread_time() - before) * 1000)
        if cpu_ms > 0:
            member += b',"metadata":{"cpu_ms":%d}' % cpu_ms
        return self._response(b'{"outcome":"success",%b}' % member)

    def _stored(self, data):
        if not self.step.scratch_dir or not self._limits["payload_files"]:
            raise result_json.too_large(len(data), self._limits["max_bytes"])
        return payload_file.write(self.step.scratch_dir, data)

    def _ended(self, error):
        """The response after an exception."""
        self._end_forked_child(error)
        try:
            return self._response_to(error)
        finally:
            failure.clear_traces(error)

    def _end_forked_child(self, error=None):
        """Ends this process if the handler has forked it: only the process that received the request answers."""
        fork.end_other_than(self._process, error)

    def _response_to(self, error):
        if self.cancelled and _is_cancellation(error):
            return self._response(b'{"outcome":"cancelled"%b}' % self._checkpoint_member())
        if isinstance(error, tasker.Deferred):
            return self._deferred(error)
        return self._response(encode({"outcome": "failure", "failure": _described(error)}))

    def _checkpoint_member(self):
        """The member `checkpoint`. The step is cancelled even if its checkpoint cannot be kept."""
        if not self.step or not self.step._execution.checkpoint_assigned:
            return b""
        try:
            return b',"checkpoint":%b' % result_json.generate(self.step.checkpoint, **CHECKPOINT_LIMITS)
        except Exception as error:
            logging.getLogger("tasker").warning("the checkpoint is not kept: %s", clip(error, 1000))
            return b""

    def _deferred(self, error):
        data = error.checkpoint
        if data is None and self.checkpoint_assigned:
            data = self.step.checkpoint
        member = b""
        if data is not None:
            try:
                member = b',"checkpoint":%b' % result_json.generate(data, **CHECKPOINT_LIMITS)
            except Exception as unacceptable:
                return self._response(encode({"outcome": "failure", "failure": _described(unacceptable)}))
        resume_after_ms = round(error.resume_after * 1000)
        return self._response(b'{"outcome":"deferred","resume_after_ms":%d%b}' % (resume_after_ms, member))

    def _response(self, result):
        return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (encode(self._request_id), result)


def _heartbeat_members(progress, message, details):
    """The members of a heartbeat. A member that cannot be sent is left out and logged."""
    members = {}
    for name, value, convert in (
        ("progress", progress, _finite),
        ("message", message, _message),
        ("details", details, _details),
    ):
        if value is None:
            continue
        try:
            members[name] = convert(value)
        except Exception as error:
            logging.getLogger("tasker").warning("the heartbeat's %s is left out: %s", name, clip(error, 200))
    return members


def _finite(progress):
    number = float(progress)
    if number - number != 0:
        raise ValueError(f"{number} is no number from 0 to 1")
    return number


def _message(text):
    return clip(text, HEARTBEAT_BYTES)


def _details(value):
    return result_json.plain(value, HEARTBEAT_BYTES, HEARTBEAT_DEPTH, "details")


def _is_cancellation(error):
    """Whether error is Cancelled, an error of asyncio or concurrent.futures that means the same, or a group of these.
    """
    members = getattr(error, "exceptions", None)
    if isinstance(error, BaseException) and isinstance(members, tuple) and members:
        return all(_is_cancellation(member) for member in members)
    return isinstance(error, tasker.Cancelled) or type(error).__name__ == "CancelledError"


def _described(error):
    """The failure of error. Describing an exception runs users' code, which may raise; the step still gets a response.
    """
    try:
        return failure.of(error)
    except BaseException as e:
        message = f"an exception that cannot be described: {type(e).__name__}"
        return {"kind": "retryable", "class": "Exception", "message": message, "backtrace": []}
