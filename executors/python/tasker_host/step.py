"""The argument `step`: the step's data, and the requests that a handler can make to the worker."""

import datetime

import tasker
from tasker_host.arguments import identifier


class Step:
    """The step being run. `attempt` counts from 1, `attempts` is how many there were before this one.

    A method that begins with `a` is the awaitable form of another method, for `async def` handlers.
    """

    __slots__ = (
        "_checkpoint",
        "_deadline",
        "_execution",
        "attempt",
        "attempts",
        "config",
        "idempotency_key",
        "inputs",
        "name",
        "results",
        "retry_limit",
        "scratch_dir",
        "workflow_step_id",
    )

    def __init__(self, params, execution):
        step = params["step"]
        self._execution = execution
        self._checkpoint = params.get("checkpoint")
        self._deadline = params.get("deadline_at")
        self.workflow_step_id = identifier(step.get("id"))
        self.name = step.get("name")
        self.attempt = step.get("attempt", 1)
        self.attempts = self.attempt - 1
        self.retry_limit = step.get("max_attempts")
        self.inputs = step.get("inputs")
        self.results = step.get("results")
        self.config = params["handler"].get("config") or {}
        self.idempotency_key = params.get("idempotency_key")
        self.scratch_dir = params.get("scratch_dir")

    @property
    def deadline(self):
        """When the worker stops the step, as a datetime in UTC, or None."""
        if not self._deadline:
            return None
        return datetime.datetime.fromisoformat(self._deadline.replace("Z", "+00:00"))

    @property
    def cancelled(self):
        """Whether the worker has asked the step to stop."""
        return self._execution.cancelled

    @property
    def cancel_reason(self):
        """Why: "timeout", "user", "lease_lost" or "shutdown"; None for a step that is not cancelled."""
        return self._execution.cancel_reason

    def check(self):
        """Raises tasker.Cancelled when the worker has asked the step to stop."""
        self._execution.check()

    @property
    def checkpoint(self):
        """The checkpoint of the attempt before. An assigned value is kept if the step is cancelled or deferred."""
        return self._checkpoint

    @checkpoint.setter
    def checkpoint(self, data):
        self._checkpoint = data
        self._execution.checkpoint_assigned = True

    def heartbeat(self, progress=None, message=None, details=None):
        """Tells the worker that the step is alive, with its progress from 0 to 1. Raises tasker.Cancelled like check().
        """
        self._execution.heartbeat(progress, message, details)

    def save_checkpoint(self, data):
        """Stores data for the next attempt, at once."""
        self._execution.call(*_checkpoint(data))
        self._checkpoint = data

    async def asave_checkpoint(self, data):
        await self._execution.acall(*_checkpoint(data))
        self._checkpoint = data

    def publish_event(self, name, payload=None, dedupe_key=None, delivery="with_result"):
        """Publishes an event when the step succeeds, or at once with delivery="now"."""
        return self._execution.call(*_event(name, payload, dedupe_key, delivery))

    async def apublish_event(self, name, payload=None, dedupe_key=None, delivery="with_result"):
        return await self._execution.acall(*_event(name, payload, dedupe_key, delivery))

    def lease(self):
        """Returns if this attempt still owns the step, and raises tasker.LeaseLost if not. Ask before a final effect.
        """
        return self._execution.call("step.lease", {})

    async def alease(self):
        return await self._execution.acall("step.lease", {})

    def spawn(self, steps):
        """Adds steps to the task, with the result: dicts with name and handler, and optionally inputs, depends_on,
        config, retryable and default_retry_limit. Steps that wait for this step wait for them too. Returns
        {"accepted": n}.
        """
        return self._execution.call("step.spawn", {"steps": steps})

    async def aspawn(self, steps):
        return await self._execution.acall("step.spawn", {"steps": steps})

    def create_task(self, namespace, name, version, context, identity_key=None):
        """Creates a task and returns its task_id and whether it was created now."""
        return self._execution.call(*_task(namespace, name, version, context, identity_key))

    async def acreate_task(self, namespace, name, version, context, identity_key=None):
        return await self._execution.acall(*_task(namespace, name, version, context, identity_key))

    def secret(self, name):
        """The value of a secret that the handler may read. It is redacted in logs and failures."""
        return self._execution.secret(self._execution.call("secrets.get", {"name": name}))

    async def asecret(self, name):
        return self._execution.secret(await self._execution.acall("secrets.get", {"name": name}))


def _checkpoint(data):
    return "step.save_checkpoint", {"checkpoint": data}


def _event(name, payload, dedupe_key, delivery):
    if delivery not in ("with_result", "now"):
        raise tasker.InvalidCall(f'delivery is "with_result" or "now", not {delivery!r}')
    params = {"name": name, "payload": {} if payload is None else payload, "delivery": delivery}
    return "step.publish_event", _with(params, "dedupe_key", dedupe_key)


def _task(namespace, name, version, context, identity_key):
    params = {"namespace": namespace, "name": name, "version": version, "context": context}
    return "tasks.create", _with(params, "identity_key", identity_key)


def _with(params, name, value):
    if value is not None:
        params[name] = value
    return params
