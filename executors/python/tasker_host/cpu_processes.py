"""The processes in which handlers with `cpu` run. The host starts one when it is needed; each runs one step at a time.

Such a process is another host, started and not forked, whose worker is this host. It dies with this host.
"""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading

from tasker_host.wire import LineReader, TooLong, encode, write_line

HOST = os.path.join(os.path.dirname(os.path.realpath(__file__)), "host.py")
# A message that is decoded and encoded again may be this many times longer.
GROWTH_MAX = 8


class CpuProcesses:
    """Starts processes, and keeps as many of them warm as there are processors."""

    def __init__(self, params, process_state):
        """params are those of `initialize` for a process, process_state what it starts with: cwd, environ and umask."""
        self.level = None
        self._process_state = process_state
        limits = {**params["limits"], "max_message_bytes": GROWTH_MAX * params["limits"]["max_message_bytes"]}
        self._initialize = encode(
            {"jsonrpc": "2.0", "id": "initialize", "method": "initialize", "params": {**params, "limits": limits}}
        )
        self._max_bytes = limits["max_message_bytes"]
        self._lock = threading.Lock()
        self._warm = []
        self._alive = set()

    def acquire(self):
        """Returns a process for one step. The caller returns it with release or discard."""
        while True:
            with self._lock:
                process = self._warm.pop() if self._warm else None
            if process is None:
                process = self._start()
            elif process.ended():
                self.discard(process)
                continue
            process.set_level(self.level)
            return process

    def release(self, process):
        """Takes a process back after its step has ended."""
        with self._lock:
            keeps = not process.recycle_due and len(self._warm) < (os.cpu_count() or 1)
            if keeps:
                self._warm.append(process)
        if not keeps:
            self.discard(process)

    def discard(self, process):
        """Ends a process and its children, and returns how it ended."""
        with self._lock:
            self._alive.discard(process)
        return process.end()

    def kill(self):
        """Kills all processes, because the host is about to exit."""
        with self._lock:
            for process in self._alive:
                process.kill()

    def _start(self):
        process = CpuProcess(self._process_state, self._max_bytes)
        with self._lock:
            self._alive.add(process)
        process.send(self._initialize)
        return process


class CpuProcess:
    def __init__(self, process_state, max_bytes):
        # Whether the process has asked to be recycled.
        self.recycle_due = False
        self._level = None
        with contextlib.ExitStack() as host_ends, contextlib.ExitStack() as process_ends:
            rpc_in, self._requests = _pipe(process_ends, host_ends)
            self._answers, rpc_out = _pipe(host_ends, process_ends)
            named = {"TASKER_PROTOCOL": "1", "TASKER_RPC_IN_FD": str(rpc_in), "TASKER_RPC_OUT_FD": str(rpc_out)}
            self._process = subprocess.Popen(
                [sys.executable, HOST],
                cwd=process_state.cwd,
                env={**process_state.environ, **named},
                pass_fds=(rpc_in, rpc_out),
                start_new_session=True,  # a kill also reaches the children of the handler
                stdin=subprocess.DEVNULL,
                umask=process_state.umask,
            )
            host_ends.pop_all()  # stay open
        self._lines = LineReader(self._answers, max_bytes).lines()
        self._send_queue = queue.SimpleQueue()
        threading.Thread(target=self._write, name="tasker-cpu-writer", daemon=True).start()

    def lines(self):
        """Yields the messages of the process until it ends."""
        return (line for line in self._lines if line and not isinstance(line, TooLong))

    def send(self, message):
        """Queues a message: the process may be too busy to read it, and the caller must not wait."""
        self._send_queue.put(message)

    def set_level(self, level):
        if level != self._level:
            self._level = level
            self.send(encode({"jsonrpc": "2.0", "method": "log.set_level", "params": {"level": level}}))

    def ended(self):
        return self._process.poll() is not None

    def kill(self):
        """Kills the process group, unless the process has been reaped: another process may have its number now."""
        if self._process.returncode is None:
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def dump(self):
        """Makes the process print its stacks. A process that has not installed the signal handler yet ends."""
        if self._process.returncode is None:
            with contextlib.suppress(OSError):
                os.kill(self._process.pid, signal.SIGUSR1)

    def end(self):
        """Kills the process if it has not ended, and returns how it ended."""
        self.kill()
        code = self._process.wait()
        self._send_queue.put(None)
        os.close(self._answers)
        if code >= 0:
            return f"exited with status {code}"
        try:
            return f"was killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"was killed by signal {-code}"

    def _write(self):
        try:
            while (message := self._send_queue.get()) is not None:
                write_line(self._requests, message)
        except OSError:  # the process has ended; the reader of the other pipe notices
            pass
        os.close(self._requests)


def _pipe(*owners):
    """A pipe whose ends their owners close. Its descriptors are above 2, even if a handler has closed standard
    descriptors.
    """
    ends = os.pipe()
    if min(ends) <= 2:
        try:
            return _pipe(*owners)
        finally:
            os.close(ends[0])
            os.close(ends[1])
    for owner, end in zip(owners, ends):
        owner.callback(os.close, end)
    return ends
