"""Runs executions: functions in a fixed number of threads, coroutines on one event loop in a thread of its own.

The queue only hands executions to threads: the worker sends at most max_concurrency, and the pool refuses what exceeds
it.
"""

import contextvars
import queue
import threading
import time

from tasker_host import output
from tasker_host.event_loop import EventLoop
from tasker_host.rpc_error import DUPLICATE, OVERLOADED, RpcError


class Pool:
    def __init__(self, size, writer, client, process_state, rotation):
        self._size = size
        self._writer = writer
        self._client = client
        self._process_state = process_state
        self._rotation = rotation
        self._exclusive = False
        self._queue = queue.SimpleQueue()
        self._loop = EventLoop()
        self._lock = threading.Lock()
        self._running = {}
        self._unanswered = 0
        self._when_idle = None
        for number in range(size):
            threading.Thread(target=self._work, name=f"tasker-{number}", daemon=True).start()

    def start(self, execution):
        """Starts the execution; raises RpcError when its id is running already or the limit is reached."""
        with self._lock:
            if execution.execution_id in self._running:
                raise RpcError(DUPLICATE, f"execution {execution.execution_id} is running")
            if len(self._running) >= self._size:
                raise RpcError(OVERLOADED, f"all {self._size} slots are taken")
            if self._exclusive or (execution.handler.exclusive and self._running):
                raise RpcError(OVERLOADED, "an exclusive handler runs alone in its process")
            self._exclusive = execution.handler.exclusive
            self._running[execution.execution_id] = execution
            self._unanswered += 1
        if execution.on_loop:
            self._loop.start(self._run_async(execution))
        elif execution.handler.speed.is_fast and not execution.handler.cpu:
            self._rotation.run(self._run_isolated, execution)
        else:
            self._queue.put(execution)

    def cancel(self, execution_id, reason, grace):
        """Asks an execution to stop. An id that is unknown, or whose execution has ended, is ignored."""
        execution = self._running.get(execution_id)
        if execution:
            execution.cancel(reason, grace)

    def in_flight(self):
        return len(self._running)

    def oldest_age(self):
        """Seconds since the oldest running execution started, or None."""
        with self._lock:
            started = min((execution.started for execution in self._running.values()), default=None)
        return None if started is None else time.monotonic() - started

    def when_idle(self, callback):
        """Calls callback as soon as no execution runs and every response has been written."""
        with self._lock:
            self._when_idle = callback
        self._notify_idle()

    def reset_in_child(self):
        """In a forked child: replaces the lock. Of the threads, the child has at most the one that forked."""
        self._lock = threading.Lock()
        self._loop.reset_in_child()

    def _work(self):
        while True:
            self._run_isolated(self._queue.get())

    def _run_isolated(self, execution):
        """Runs the execution in its own context: the next step does not see its context variables."""
        contextvars.Context().run(self._run, execution)

    def _run(self, execution):
        began = time.monotonic()
        message = execution.perform(self._loop)
        execution.handler.speed.record(time.monotonic() - began)
        self._answer(execution, message)

    async def _run_async(self, execution):
        self._client.loop_thread = threading.get_ident()
        self._answer(execution, await execution.perform_async(self._loop))

    def _answer(self, execution, message):
        """Removes the execution, then answers: the worker may send the next request as soon as it reads the response.
        """
        if execution.printed:
            output.end_lines(execution)
        execution.finished = True
        self._process_state.when_ended()
        with self._lock:
            del self._running[execution.execution_id]
            self._exclusive = False
            if self._running:
                self._process_state.when_busy()
            else:
                self._process_state.when_idle()
        self._writer.write(message)
        with self._lock:
            self._unanswered -= 1
        self._notify_idle()

    def _notify_idle(self):
        if self._when_idle and self._unanswered == 0:
            self._when_idle()
