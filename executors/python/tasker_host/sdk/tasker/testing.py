"""Runs one handler as the host would, without a worker:

    from tasker import testing
    from shop.payment import charge_card

    class ChargeCard(unittest.TestCase):
        def test_charges_the_total(self):
            outcome = testing.run(charge_card, context={"customer": 7}, results={"validate_cart": {"total": 12}})
            self.assertEqual(outcome.kind, "success", outcome.failure)
            self.assertEqual(outcome.result["charged"], 12)

Start the tests with PYTHONPATH at the folder that holds this `tasker`, and at the folder of the handlers.
"""

import contextlib
import contextvars
import dataclasses
import datetime
import json
import logging
import threading
from typing import Any, List, Optional

import tasker
from tasker import _host  # noqa: F401
from tasker_host import log, result_json, rpc_error, secrets as hidden
from tasker_host.event_loop import EventLoop
from tasker_host.execution import Execution
from tasker_host.handler import Handler

__all__ = ["Failure", "Outcome", "run"]

OFFERED = ("secrets.get", "step.lease", "step.publish_event", "step.save_checkpoint", "step.spawn", "tasks.create")
LIMITS = {"max_bytes": 1 << 20, "max_depth": 64, "max_file_bytes": 1 << 20, "payload_files": False}
GIVEN_LIMITS = {"max_bytes": 64 << 20, "max_depth": 80, "what": "test"}
SECONDS = 60
GRACE_SECONDS = 10

_loop = EventLoop()


@dataclasses.dataclass
class Failure:
    """The failure of a run. `kind` is "retryable" or "permanent", `error_class` the name of the exception's class.
    `retry_after` is in seconds.
    """

    kind: str
    error_class: str
    message: str
    code: Optional[str] = None
    retry_after: Optional[float] = None
    details: Any = None
    backtrace: List[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Outcome:
    """The outcome of a run. `kind` is "success", "failure", "deferred" or "cancelled". The lists hold the handler's
    requests, heartbeats and logs.
    """

    kind: str
    result: Any = None
    failure: Optional[Failure] = None
    resume_after: Optional[float] = None
    checkpoint: Any = None
    checkpoints: list = dataclasses.field(default_factory=list)
    events: list = dataclasses.field(default_factory=list)
    heartbeats: list = dataclasses.field(default_factory=list)
    logs: list = dataclasses.field(default_factory=list)
    spawned: list = dataclasses.field(default_factory=list)
    tasks: list = dataclasses.field(default_factory=list)

    @property
    def retryable(self):
        return self.failure is not None and self.failure.kind == "retryable"

    @property
    def permanent(self):
        return self.failure is not None and self.failure.kind == "permanent"


def run(
    handler,
    *,
    context=None,
    results=None,
    inputs=None,
    config=None,
    attempt=1,
    retry_limit=3,
    step="step",
    task=None,
    previous_results=None,
    checkpoint=None,
    secrets=None,
    lease=True,
    cancel=None,
    cancel_after=None,
    calls=None,
    scratch_dir=None,
):
    """Runs handler, a function or class, plain or async, and returns its Outcome.

    results are those of earlier steps, by name; task has members of the task other than its context. secrets are values
    by name, and lease=False makes the lease lost. cancel is the reason of a cancel that arrives as the handler begins;
    with cancel_after it arrives that many seconds later. calls overrides what the worker answers: functions of the
    params, by the name of the wire method; a tasker.CallFailed that one raises is the worker's refusal.
    """
    now = datetime.datetime.now(datetime.timezone.utc)
    given = {
        "execution_id": "test",
        "step": {"id": "1", "name": step, "attempt": attempt, "max_attempts": retry_limit, "inputs": inputs or {}},
        "task": {"id": "1", "namespace": "default", "name": "test", "version": "1.0.0", "requested_at": now},
        "dependencies": {
            name: {"step_id": str(i), "result": result} for i, (name, result) in enumerate((results or {}).items(), 2)
        },
        "handler": {"name": "handler", "config": config or {}},
        "idempotency_key": "tasker:step:1",
        "checkpoint": checkpoint,
        "scratch_dir": scratch_dir,
        "deadline_at": now + datetime.timedelta(seconds=SECONDS),
        "timeout_ms": SECONDS * 1000,
    }
    given["step"]["results"] = previous_results
    given["task"].update({"context": context or {}, **(task or {})})
    worker = _Worker(secrets or {}, lease, calls or {})
    served = _Handler("handler", "test", handler)
    execution = _Execution("test", json.loads(result_json.generate(given, **GIVEN_LIMITS)), served, LIMITS, worker)
    try:
        with _logged(worker), _cancelling(execution, served, cancel, cancel_after):
            message = contextvars.Context().run(execution.finish, _loop)
    finally:
        hidden.clear()
    return _outcome(json.loads(message)["result"], worker.asked)


@contextlib.contextmanager
def _cancelling(execution, handler, reason, seconds):
    if reason is None and seconds is None:
        yield
        return

    def cancel():
        execution.cancel(reason or "user", GRACE_SECONDS)

    if seconds is None:
        handler.before = cancel
        yield
        return
    timer = threading.Timer(seconds, cancel)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextlib.contextmanager
def _logged(worker):
    """A context in which records of the handler reach the worker from the level "info" on, as in the host."""
    root, tap = logging.getLogger(), _Tap(worker)
    level = root.level
    root.addHandler(tap)
    root.setLevel(min(level, logging.INFO))
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(tap)


def _outcome(answered, asked):
    failed = answered.get("failure")
    return Outcome(
        kind=answered["outcome"],
        result=answered.get("result"),
        failure=failed and _failure(failed),
        resume_after=_seconds(answered.get("resume_after_ms")),
        checkpoint=answered.get("checkpoint"),
        **asked,
    )


def _failure(failed):
    return Failure(
        kind=failed["kind"],
        error_class=failed["class"],
        message=failed["message"],
        code=failed.get("code"),
        retry_after=_seconds(failed.get("retry_after_ms")),
        details=failed.get("details"),
        backtrace=failed["backtrace"],
    )


def _seconds(milliseconds):
    return None if milliseconds is None else milliseconds / 1000


class _Handler(Handler):
    before = None

    def call(self, task, sequence, step):
        if self.before:
            self.before()
        return super().call(task, sequence, step)


class _Execution(Execution):
    def _heartbeat_interval(self):
        return 0  # a test sees each heartbeat

    def _ended(self, error):
        if isinstance(error, KeyboardInterrupt):  # it is for the test run
            raise error
        return super()._ended(error)


class _Tap(log.Handler):
    """Takes the records of this run only."""

    def __init__(self, worker):
        super().__init__(worker)
        self._worker = worker

    def emit(self, record):
        execution = log.owner()
        if execution and execution._client is self._worker:
            super().emit(record)


class _Worker:
    """Grants and records what a handler asks for. To an execution it is the WorkerClient of the host."""

    offered = frozenset(OFFERED)

    def __init__(self, secrets, lease, calls):
        self.asked = {name: [] for name in ("checkpoints", "events", "heartbeats", "logs", "spawned", "tasks")}
        self.loop_thread = None
        self._secrets = secrets
        self._lease = lease
        self._calls = calls
        self._answers = {
            "step.lease": lambda _: {"current": True, "remaining_ms": SECONDS * 1000},
            "step.save_checkpoint": lambda params: self._keep("checkpoints", params["checkpoint"]),
            "step.publish_event": lambda params: self._keep("events", params),
            "step.spawn": lambda params: self._keep("spawned", *params["steps"]),
            "tasks.create": self._create,
            "secrets.get": self._secret,
        }

    def notify(self, method, params):
        kind = "logs" if method == "log" else "heartbeats"
        self.asked[kind].append({name: value for name, value in params.items() if name not in ("execution_id", "ts")})

    def request(self, method, params, receive):
        params = json.loads(params)
        del params["execution_id"]
        receive(self._answer(method, params))

    def forget(self, request_id):
        """Every request is answered at once: none is pending."""

    def _answer(self, method, params):
        try:
            if not self._lease:
                raise tasker.LeaseLost("stale_lease", rpc_error.STALE_LEASE)
            answer = self._calls.get(method) or self._answers[method]
            return {"result": answer(params)}
        except tasker.CallFailed as error:
            return {"error": {"code": error.code or rpc_error.INTERNAL, "message": str(error)}}

    def _keep(self, kind, *values):
        self.asked[kind].extend(values)
        return {"accepted": True}

    def _create(self, params):
        self._keep("tasks", params)
        return {"task_id": str(len(self.asked["tasks"])), "created": True}

    def _secret(self, params):
        if params["name"] in self._secrets:
            return {"value": self._secrets[params["name"]]}
        raise tasker.NotPermitted(f"the test gave no secret {params['name']}", rpc_error.NOT_PERMITTED)
