"""Reads and dispatches requests until the pipe closes.

The reader's thread answers all requests except step.execute, so a ping never waits for a step.
"""

import collections
import os
import signal
import sys
import threading
import time

from tasker_host import failure, fork, log, message as messages, output, parent, rpc_error, secrets, thread_dump
from tasker_host.execution import Execution
from tasker_host.leader_follower import ReaderRotation
from tasker_host.pool import Pool
from tasker_host.process_state import ProcessState
from tasker_host.rpc_error import RpcError
from tasker_host.session import MAX_MESSAGE_BYTES, Session
from tasker_host.text import clip
from tasker_host.wire import LineReader, TooLong, Writer
from tasker_host.worker_client import WorkerClient

FLUSH_SECONDS = 1


class Server:
    def __init__(self, rpc_in, rpc_out):
        self._reader = LineReader(rpc_in, MAX_MESSAGE_BYTES)
        # Lines that are read and not yet dispatched.
        self._lines = collections.deque()
        self._rotation = ReaderRotation(self._read)
        self._writer = Writer(rpc_out)
        self._session = None
        self._pool = None
        self._client = None
        self._process_state = None
        # The processes of `cpu` handlers, from the first such execution on.
        self._processes = None
        self._level = None
        self._draining = False
        self._methods = {
            "initialize": self._initialize,
            "ping": self._ping,
            "shutdown": self._shutdown,
            "step.execute": self._execute,
        }
        self._notifications = {"step.cancel": self._cancel, "log.set_level": self._set_level}
        thread_dump.install()
        log.install(self._writer)
        output.install(self._writer)
        fork.install(
            self._writer.close_in_child,
            self._reader.close_in_child,
            output.reopen,
            secrets.reset_in_child,
            self._reset_pool_in_child,
        )

    def run(self):
        """Serves until the worker closes the pipe. Then the process ends, because no result can be delivered."""
        self._watch_for_sigterm()
        self._rotation.begin()
        threading.Event().wait()  # no handler runs in the main thread

    def _read(self, leader):
        self._writer.flush()  # the leader before may not have flushed
        while True:
            while self._lines:
                line = self._lines.popleft()
                if self._lines:
                    self._writer.hold()
                self._receive(line)
                if not self._rotation.is_leader(leader):
                    return
            self._writer.flush()
            lines = self._reader.read()
            if lines is None:
                self._exit()
            self._lines.extend(lines)

    def _reset_pool_in_child(self):
        if self._pool:
            self._pool.reset_in_child()

    def _receive(self, line):
        request_id = None
        try:
            message = self._parse(line)
            if message is None:
                return
            request_id = message.get("id")
            result = self._dispatch(message, request_id)
            if result is not None:
                self._writer.result(request_id, result)
        except messages.Unreadable as error:
            self._answer_unreadable(line, error)
        except RpcError as error:
            self._writer.error(request_id or error.request_id, error.code, error.message, error.data)
        except Exception as error:
            self._writer.error(request_id, rpc_error.INTERNAL, f"{type(error).__name__}: {clip(error, 1000)}")

    def _parse(self, line):
        """The message, or None for a blank line."""
        if isinstance(line, TooLong):
            raise self._refused(line, rpc_error.TOO_LARGE, f"a message may have {self._reader.max_bytes} bytes")
        if not line or line.isspace():
            return None
        try:
            message = messages.decode(line)
        except ValueError as error:
            raise self._refused(line, rpc_error.PARSE, f"not JSON: {clip(error, 200)}") from error
        if not isinstance(message, dict):
            raise RpcError(rpc_error.INVALID_REQUEST, "a message is one JSON object")
        return message

    def _refused(self, line, code, reason):
        """An error for a line that cannot be decoded. It has an id only if the line is a step.execute request."""
        request_id, method = messages.envelope(line)
        return RpcError(code, reason, request_id=request_id if method == "step.execute" else None)

    def _answer_unreadable(self, line, unreadable):
        """Answers a message that cannot be read: the step fails permanently, or the pending request gets an error."""
        request_id, method = messages.envelope(line)
        reason = f"the request cannot be read: {clip(unreadable, 1000)}"
        if request_id and method == "step.execute":
            self._writer.result(request_id, {"outcome": "failure", "failure": failure.of_request(reason)})
        elif request_id and method is None:
            self._answered({"id": request_id, "error": {"code": rpc_error.PARSE, "message": reason}})
        else:
            self._writer.error(request_id, rpc_error.PARSE, reason)

    def _dispatch(self, message, request_id):
        """The result to answer with, or None if the response comes later or there is none."""
        method = message.get("method")
        if method is None:
            return self._answered(message)
        if "id" not in message:
            return self._notified(method, message.get("params"))
        if not isinstance(request_id, str) or not isinstance(method, str) or message.get("jsonrpc") != "2.0":
            hint = "a request has jsonrpc 2.0, a string as id and a string as method"
            raise RpcError(rpc_error.INVALID_REQUEST, hint)
        if method not in self._methods:
            raise RpcError(rpc_error.UNKNOWN_METHOD, f"unknown method {clip(method, 100)}")
        params = message.get("params") or {}
        if not isinstance(params, dict):
            raise RpcError(rpc_error.BAD_PARAMS, "params must be an object")
        return self._methods[method](request_id, params)

    def _answered(self, message):
        if self._client and isinstance(message.get("id"), str):
            self._client.handle_response(message)

    def _notified(self, method, params):
        """Handles a notification. An invalid notification is ignored."""
        if isinstance(method, str) and method in self._notifications and isinstance(params, dict):
            self._notifications[method](params)

    def _cancel(self, params):
        execution_id, grace = params.get("execution_id"), params.get("grace_ms")
        if self._pool and isinstance(execution_id, str):
            seconds = grace / 1000 if isinstance(grace, (int, float)) else self._session.cancel_grace
            self._pool.cancel(execution_id, str(params.get("reason")), seconds)

    def _set_level(self, params):
        self._level = str(params.get("level"))
        log.set_level(self._level)
        if self._process_state:
            self._process_state.keep_level()
        if self._processes:
            self._processes.level = self._level

    def _initialize(self, _request_id, params):
        if self._session:
            raise RpcError(rpc_error.INVALID_REQUEST, "initialized already")
        session = Session(params)
        if session.is_cpu_process:
            parent.die_with_parent()
        session.load()
        self._reader.max_bytes = session.max_message_bytes
        self._client = WorkerClient(self._writer, session.callbacks, self._rotation)
        self._process_state = ProcessState(self._recycle)
        self._pool = Pool(session.max_concurrency, self._writer, self._client, self._process_state, self._rotation)
        self._session = session
        return session.description()

    def _ping(self, _request_id, _params):
        result = {"in_flight": self._in_flight()}
        age = self._pool.oldest_age() if self._pool else None
        if age is not None:
            result["oldest_ms"] = round(age * 1000)
        return result

    def _shutdown(self, _request_id, _params):
        self._draining = True
        return {"in_flight": self._in_flight()}

    def _execute(self, request_id, params):
        if not self._session:
            raise RpcError(rpc_error.NOT_INITIALIZED, "initialize comes first")
        if self._draining:
            raise RpcError(rpc_error.SHUTTING_DOWN, "this host takes no more steps")
        unpacked = self._session.unpacked(params)
        handler = self._session.handler(unpacked)
        if handler.cpu and not self._session.is_cpu_process:
            self._pool.start(self._cpu_execution(request_id, params, handler))
        else:
            self._pool.start(Execution(request_id, unpacked, handler, self._session.result_limits, self._client))

    def _cpu_execution(self, request_id, params, handler):
        """An execution in another process. The modules are imported only by hosts with such handlers."""
        from tasker_host.cpu_execution import CpuExecution
        from tasker_host.cpu_processes import CpuProcesses

        if self._processes is None:
            self._processes = CpuProcesses(self._session.cpu_process_params(), self._process_state)
            self._processes.level = self._level
        return CpuExecution(request_id, params, handler, self._client, self._processes)

    def _recycle(self, reason):
        self._writer.notify("executor.status", {"state": "recycle_me", "reason": reason})

    def _in_flight(self):
        return self._pool.in_flight() if self._pool else 0

    def _watch_for_sigterm(self):
        """Starts a thread that learns of signals through a pipe. A Python signal handler would wait for the reader's
        next message if the signal arrived just before the read began.
        """
        woken, wakes = os.pipe()
        os.set_blocking(wakes, False)
        signal.signal(signal.SIGTERM, lambda _signal, _frame: None)
        signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
        threading.Thread(target=self._await_sigterm, args=(woken,), name="tasker-signals", daemon=True).start()

    def _await_sigterm(self, woken):
        while os.read(woken, 1) != bytes([signal.SIGTERM]):
            pass
        self._draining = True
        self._drain_and_exit()

    def _drain_and_exit(self):
        """Exits when the running steps have ended, or when the grace is over."""
        if not self._pool:
            self._exit()
        self._pool.when_idle(self._exit)
        time.sleep(self._session.shutdown_grace)
        self._exit()

    def _exit(self):
        if self._processes:
            self._processes.kill()
        _exit()


def _exit():
    """Ends the process, whatever its threads do. Flushes the output, but waits at most FLUSH_SECONDS for a full pipe.
    """
    flusher = threading.Thread(target=_flush, daemon=True)
    flusher.start()
    flusher.join(FLUSH_SECONDS)
    os._exit(0)


def _flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass
