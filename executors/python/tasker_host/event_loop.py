"""The one event loop of all `async def` handlers."""

import contextvars
import threading
import traceback

from tasker_host import fork


class EventLoop:
    """An asyncio loop in its own thread, created at the first use: importing asyncio takes longer than starting the
    whole host.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._loop = None
        self._tasks = set()
        # The loop's thread, once there is one.
        self.thread = None

    def cancelling(self, execution):
        """A context in whose body cancelling the execution cancels the current task."""
        return _Cancelling(self._loop, execution)

    def start(self, coroutine):
        """Runs the coroutine as a task with a context of its own."""
        self._running_loop().call_soon_threadsafe(self._create, coroutine, context=contextvars.Context())

    def wait_for(self, coroutine):
        """Runs the coroutine on the loop and returns its result. Called from a handler's thread."""
        import asyncio

        return asyncio.run_coroutine_threadsafe(coroutine, self._running_loop()).result()

    def reset_in_child(self):
        """In a child forked from the loop's thread: ends the child when the handler awaits. The other tasks of the loop
        belong to the parent.
        """
        if self.thread is None or self.thread.ident != threading.get_ident():
            return
        import asyncio

        handle = asyncio.Handle(_end_waiting_child, (), self._loop)
        try:
            self._loop._ready.appendleft(handle)
        except AttributeError:  # not a loop of asyncio itself
            self._loop.call_soon(_end_waiting_child)

    def _create(self, coroutine):
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)  # the loop itself keeps only a weak reference
        task.add_done_callback(self._tasks.discard)

    def _running_loop(self):
        if self._loop is None:
            self._begin()
        return self._loop

    def _begin(self):
        import asyncio

        with self._lock:
            if self._loop is None:
                loop = asyncio.new_event_loop()
                self.thread = threading.Thread(target=_run_loop, args=(loop,), name="tasker-loop", daemon=True)
                self.thread.start()
                self._loop = loop


class _Cancelling:
    __slots__ = ("_execution", "_loop", "_task")

    def __init__(self, loop, execution):
        self._loop = loop
        self._execution = execution

    def __enter__(self):
        import asyncio

        self._task = asyncio.current_task()
        self._execution.wakers.add(self._wake)
        self._execution.check()

    def __exit__(self, *_):
        self._execution.wakers.discard(self._wake)

    def _wake(self):
        self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self):
        if self._wake in self._execution.wakers:
            self._task.cancel()


def _end_waiting_child():
    fork.end_child(RuntimeError("a process forked in an async handler cannot await: the event loop is its parent's"))


def _run_loop(loop):
    """Restarts the loop if a handler stops it, for example with sys.exit() in a task; other handlers continue."""
    import asyncio

    asyncio.set_event_loop(loop)
    while True:
        try:
            loop.run_forever()
        except BaseException:
            traceback.print_exc()
