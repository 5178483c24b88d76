"""Does to its process what handlers should not do: the task's context says what."""

import ctypes
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

HELD = []


def process(task, sequence, step):
    return ACTIONS[task.context["do"]](task.context.get("argument"))


def wait(_):
    print("waiting in python")
    time.sleep(600)


def exit_with(status):
    print("last words of python", file=sys.stderr)
    os._exit(status)


def crash(_):
    print("last words of python", file=sys.stderr)
    os.kill(os.getpid(), signal.SIGSEGV)
    time.sleep(600)


def spin(_):
    print("spinning in python")
    while True:
        pass


def hold_lock(_):
    """PyDLL keeps the lock of the interpreter while the function runs, as an extension in C may."""
    print("holding in python")
    ctypes.PyDLL(None).sleep(600)


def surroundings(_):
    with open("/proc/thread-self/status") as status:
        signals = re.findall(r"^Sig(?:Blk|Ign|Cgt):.*", status.read(), re.MULTILINE)
    umask = os.umask(0o077)
    os.umask(umask)
    return {
        "cwd": os.getcwd(),
        "environment": dict(os.environ),
        "group": os.getpgrp(),
        "session": os.getsid(0),
        "signals": signals,
        "umask": umask,
    }


def set_environment(_):
    os.environ["POLLUTED"] = "yes"
    del os.environ["HOME"]


def set_signals(_):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2})


def close_descriptors(numbers):
    for fd in numbers:
        os.close(fd)


def run_python(arguments):
    return json.loads(subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.PIPE).stdout)


def leak_memory(megabytes):
    HELD.append(b"x" * (megabytes << 20))
    return os.getpid()


def multiply(number):
    """Returns how many children could be started."""
    for started in range(number):
        try:
            HELD.append(subprocess.Popen(["sleep", "60"]))
        except OSError:
            return started
    return number


def leak_connection(address):
    HELD.append(socket.create_connection(address.split(":")))
    return os.environ["TASKER_SCRATCH_DIR"]


ACTIONS = {
    "pid": lambda _: os.getpid(),
    "wait": wait,
    "exit_with": exit_with,
    "crash": crash,
    "spin": spin,
    "hold_lock": hold_lock,
    "surroundings": surroundings,
    "chdir": lambda folder: os.chdir(folder),
    "set_umask": lambda mask: os.umask(mask),
    "set_environment": set_environment,
    "set_signals": set_signals,
    "close_descriptors": close_descriptors,
    "leave_session": lambda _: os.setsid(),
    "leak_memory": leak_memory,
    "run_python": run_python,
    "multiply": multiply,
    "leak_connection": leak_connection,
}
