"""Plays the worker for one host process."""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
HOST = os.path.join(os.path.dirname(HERE), "tasker_host", "host.py")
SDK = os.path.join(os.path.dirname(HOST), "sdk")
PATIENCE = 120
CALLBACKS = [
    "step.lease", "step.save_checkpoint", "step.publish_event", "step.spawn", "tasks.create", "secrets.get",
]  # fmt: skip


class Peer:
    def __init__(self, callbacks=CALLBACKS, initialize=True, root=None, timing=None, config=None, **limits):
        rpc_in, self._out = os.pipe()
        self._in, rpc_out = os.pipe()
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "TASKER_"))}
        environ.update(TASKER_PROTOCOL="1", TASKER_RPC_IN_FD=str(rpc_in), TASKER_RPC_OUT_FD=str(rpc_out))
        self.process = subprocess.Popen(
            [sys.executable, HOST], env=environ, pass_fds=(rpc_in, rpc_out), stderr=subprocess.PIPE, stdout=subprocess.PIPE
        )
        os.close(rpc_in)
        os.close(rpc_out)
        self.seen = []
        self._unsent, self._gathering = b"", False
        self._inbox = queue.Queue()
        self._number = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        params = {
            "protocol_versions": [1],
            "limits": {"max_concurrency": 4, **limits},
            "capabilities": {"callbacks": callbacks, "payload_files": True},
            "config": {"handler_root": root or os.path.join(HERE, "handlers"), **(config or {})},
            "timing": timing or {},
        }
        self.ready = self.answer(self.request("initialize", params))["result"] if initialize else None

    def _read(self):
        with os.fdopen(self._in, "rb") as lines:
            for line in lines:
                self._inbox.put(json.loads(line))

    def send(self, message):
        self.send_text(json.dumps({"jsonrpc": "2.0", **message}))

    def send_text(self, text):
        self._unsent += text.encode() + b"\n"
        if not self._gathering:
            os.write(self._out, self._unsent)
            self._unsent = b""

    @contextlib.contextmanager
    def together(self):
        """What is sent within is written at once."""
        self._gathering = True
        yield
        self._gathering = False
        self.send({"method": "nothing"})

    def request(self, method, params):
        self._number += 1
        self.send({"id": f"w{self._number}", "method": method, "params": params})
        return f"w{self._number}"

    def execute_text(self, handler, context):
        """Sends step.execute with a context that is JSON already."""
        self._number += 1
        request_id = f"w{self._number}"
        self.send_text(
            f'{{"jsonrpc":"2.0","id":"{request_id}","method":"step.execute","params":{{"execution_id":"{request_id}",'
            f'"step":{{"id":"1"}},"task":{{"id":"2","context":{context}}},"handler":{{"name":"{handler}"}}}}}}'
        )
        return request_id

    def execute(self, handler, **more):
        """Sends step.execute; the execution's id is that of the request."""
        params = {
            "execution_id": f"w{self._number + 1}",
            "step": {"id": "1", "name": "s", "attempt": 1, "inputs": more.pop("inputs", {})},
            "task": {"id": "2", "namespace": "n", "name": "t", "context": more.pop("context", {})},
            "handler": {"name": handler, "config": more.pop("config", {})},
            "timeout_ms": 30000,
        }
        return self.request("step.execute", {**params, **more})

    def next(self, method):
        """The next notification or request of that method."""
        return self._find(lambda message: message.get("method") == method)

    def next_but_logs(self):
        return self._find(lambda message: message.get("method") != "log")

    def rest(self):
        """What else the host says until its end, but for logs."""
        self._reader.join(PATIENCE)
        return [message for message in [*self.seen, *self._inbox.queue] if message.get("method") != "log"]

    def answer(self, request_id):
        return self._find(lambda message: "method" not in message and message.get("id") == request_id)

    def outcome(self, request_id):
        return self.answer(request_id)["result"]

    def run(self, handler, **more):
        return self.outcome(self.execute(handler, **more))

    def cancel(self, execution_id, reason="user", grace_ms=10000):
        self.send({"method": "step.cancel", "params": {"execution_id": execution_id, "reason": reason, "grace_ms": grace_ms}})

    def logs(self, execution_id):
        found = [m["params"] for m in self.seen if m.get("method") == "log"]
        return [log for log in found if log.get("execution_id") == execution_id]

    def _find(self, wanted):
        for message in self.seen:
            if wanted(message):
                self.seen.remove(message)
                return message
        while True:
            message = self._inbox.get(timeout=PATIENCE)
            if wanted(message):
                return message
            self.seen.append(message)

    def end_input(self):
        os.close(self._out)

    def close(self):
        self.end_input()
        try:
            out, err = self.process.communicate(timeout=PATIENCE)
        finally:
            self.process.kill()
        return out, err
