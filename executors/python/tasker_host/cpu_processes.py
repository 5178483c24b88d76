"""The processes that handlers with `cpu` run in: started when one is needed, never forked, and each with one step at a time.

Such a process is this host once more, and the host is its worker. It dies with the host.
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
# What is read here and written again may have become longer.
LONGER = 8


class CpuProcesses:
    """Starts processes, and keeps as many of them warm as there are processors."""

    def __init__(self, params, process_state):
        """params are those of `initialize` for a process, process_state what it starts with: cwd, environ and umask."""
        self.level = None
        self._process_state = process_state
        limits = {**params["limits"], "max_message_bytes": LONGER * params["limits"]["max_message_bytes"]}
        self._initialize = encode(
            {"jsonrpc": "2.0", "id": "initialize", "method": "initialize", "params": {**params, "limits": limits}}
        )
        self._max_bytes = limits["max_message_bytes"]
        self._lock = threading.Lock()
        self._warm = []
        self._alive = set()

    def acquire(self):
        """A process for one step: of give and discard one has to follow."""
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
        """Takes back a process whose step has ended."""
        with self._lock:
            keeps = not process.recycle_due and len(self._warm) < (os.cpu_count() or 1)
            if keeps:
                self._warm.append(process)
        if not keeps:
            self.discard(process)

    def discard(self, process):
        """Ends a process with what it has started, and says how it ended."""
        with self._lock:
            self._alive.discard(process)
        return process.end()

    def kill(self):
        """Kills all of them. The host is about to exit."""
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
        # Whether it has asked to be replaced.
        self.recycle_due = False
        self._level = None
        with contextlib.ExitStack() as ours, contextlib.ExitStack() as its:
            rpc_in, self._requests = _pipe(its, ours)
            self._answers, rpc_out = _pipe(ours, its)
            named = {"TASKER_PROTOCOL": "1", "TASKER_RPC_IN_FD": str(rpc_in), "TASKER_RPC_OUT_FD": str(rpc_out)}
            self._process = subprocess.Popen(
                [sys.executable, HOST],
                cwd=process_state.cwd,
                env={**process_state.environ, **named},
                pass_fds=(rpc_in, rpc_out),
                start_new_session=True,  # a kill reaches what the handler has started, too
                stdin=subprocess.DEVNULL,
                umask=process_state.umask,
            )
            ours.pop_all()  # stay open
        self._lines = LineReader(self._answers, max_bytes).lines()
        self._send_queue = queue.SimpleQueue()
        threading.Thread(target=self._write, name="tasker-cpu-writer", daemon=True).start()

    def lines(self):
        """Yields what it says, until it ends."""
        return (line for line in self._lines if line and not isinstance(line, TooLong))

    def send(self, message):
        """Sends a message some time soon: the process may be too busy to read it, and nobody here waits for it."""
        self._send_queue.put(message)

    def set_level(self, level):
        if level != self._level:
            self._level = level
            self.send(encode({"jsonrpc": "2.0", "method": "log.set_level", "params": {"level": level}}))

    def ended(self):
        return self._process.poll() is not None

    def kill(self):
        """Kills it with its group, unless somebody has seen that it has ended: its number may be another's by now."""
        if self._process.returncode is None:
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def dump(self):
        """Has it print its stacks. One that cannot do so yet ends."""
        if self._process.returncode is None:
            with contextlib.suppress(OSError):
                os.kill(self._process.pid, signal.SIGUSR1)

    def end(self):
        """Kills it, if it has not ended, and says how it ended."""
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
        except OSError:  # it has ended, which its end of the other pipe tells
            pass
        os.close(self._requests)


def _pipe(*owners):
    """A pipe whose ends their owners will close. It is none of the standard descriptors, even if a handler has closed those."""
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
