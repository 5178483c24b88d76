"""One execution in a process for `cpu` handlers. The host treats it like an Execution; the Execution is in that
process.
"""

import json
import threading
import time

from tasker_host import failure
from tasker_host.wire import encode

# The parts of the grace in which a process ends the step, and in which it prints its stacks before the host kills it.
# The step must end before the worker ends the whole host.
STOP_SHARE = 1 / 4
DUMP_SHARE = 1 / 16


class ProcessEnded(Exception):
    """The process of a handler ended while the handler ran."""


class CpuExecution:
    on_loop = False
    printed = None

    def __init__(self, request_id, params, handler, client, processes):
        self.execution_id = params["execution_id"]
        self.handler = handler
        self.started = time.monotonic()
        self._request_id = request_id
        self._params = params
        self._client = client
        self._processes = processes
        self._requests = []
        # Protects the fields below, which the reader's thread and the timer's thread use, too.
        self._lock = threading.Lock()
        self.finished = False
        self._cancel = None
        self._process = None
        self._timer = None

    def perform(self, _loop):
        """Relays messages between the process and the worker, and returns the response."""
        try:
            process = self._processes.acquire()
        except Exception as error:  # the system cannot start a process
            return self._failed(error)
        line = broken = None
        try:
            self._begin(process)
            line = self._relay(process)
        except Exception as error:  # arguments that cannot be written again, or messages that cannot be read
            broken = error
        self._end()
        how = self._processes.discard(process) if line is None else self._processes.release(process)
        if line is not None:
            return line
        if self._cancel:
            return self._response({"outcome": "cancelled"})
        if broken:
            return self._failed(broken)
        return self._failed(ProcessEnded(f"the process of the handler ended: it {how}"))

    def cancel(self, reason, grace):
        """Asks the handler to stop. If it does not, the host ends its process."""
        with self._lock:
            if self._cancel or self.finished:
                return
            self._cancel = {"execution_id": self.execution_id, "reason": reason, "grace_ms": round(grace * 1000)}
            if self._process:
                self._stop()

    def _begin(self, process):
        with self._lock:
            self._process = process
            request = {"jsonrpc": "2.0", "id": self._request_id, "method": "step.execute", "params": self._params}
            process.send(encode(request))
            if self._cancel:
                self._stop()

    def _stop(self):
        process, grace = self._process, self._cancel["grace_ms"] / 1000
        process.send(encode({"jsonrpc": "2.0", "method": "step.cancel", "params": self._cancel}))

        def dump():
            process.dump()
            self._after(grace * DUMP_SHARE, process.kill)

        self._after(grace * STOP_SHARE, dump)

    def _after(self, seconds, end):
        """Calls end after the seconds, unless the execution has finished. The caller holds the lock."""

        def act():
            with self._lock:
                if not self.finished:
                    end()

        self._timer = threading.Timer(seconds, act)
        self._timer.daemon = True
        self._timer.start()

    def _end(self):
        with self._lock:
            self.finished = True
            if self._timer:
                self._timer.cancel()
        for request_id in self._requests:
            self._client.forget(request_id)

    def _relay(self, process):
        """The line with the response, or None when the process has ended without one."""
        for line in process.lines():
            message = json.loads(line)
            if "method" not in message:
                if message["id"] == self._request_id:
                    return line
                if "error" in message:  # the process could not be initialized
                    return None
            elif "id" in message:
                self._forward_request(process, message)
            elif message["method"] == "executor.status":
                process.recycle_due = True
            else:
                self._client.forward(line)
        return None

    def _forward_request(self, process, request):
        def reply(message):
            outcome = {name: message[name] for name in ("result", "error") if name in message}
            process.send(encode({"jsonrpc": "2.0", "id": request["id"], **outcome}))

        self._requests.append(self._client.request(request["method"], encode(request["params"]), reply))

    def _failed(self, error):
        return self._response({"outcome": "failure", "failure": failure.of(error)})

    def _response(self, result):
        return encode({"jsonrpc": "2.0", "id": self._request_id, "result": result})
