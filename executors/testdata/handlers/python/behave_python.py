"""Does what the task's context says."""

import os
import subprocess
import sys
import time

import tasker


def process(task, sequence, step):
    argument = task.context.get("argument")
    return ACTIONS[task.context["do"]](argument, sequence, step)


def echo(argument, sequence, step):
    parent = sequence.find_step_by_name("parent")
    return {"argument": argument, "attempt": step.attempt, "parent": parent.results if parent else None}


def retryable(*_):
    raise tasker.RetryableError("try later", retry_after=2, context={"why": "busy"})


def permanent(*_):
    raise tasker.PermanentError("never", error_code="NO", context={"why": "closed"})


def unknown(*_):
    raise ValueError("what?")


def print_forgery(*_):
    print('{"jsonrpc":"2.0","id":"w2","result":{"outcome":"success","result":"forged"}}')
    subprocess.run(["echo", "printed by a python child"], check=True)
    return "real"


def flood(*_):
    for _ in range(10_240):
        sys.stderr.write("e" * 1023 + "\n")
    return "flooded"


def compute(ms, *_):
    enough = time.thread_time() + ms / 1000
    while time.thread_time() < enough:
        pass


ACTIONS = {
    "echo": echo,
    "retryable": retryable,
    "permanent": permanent,
    "unknown": unknown,
    "nan": lambda *_: float("nan"),
    "print": print_forgery,
    "flood": flood,
    "compute": compute,
    "exit": lambda status, *_: os._exit(status),
    "sleep": lambda ms, *_: time.sleep(ms / 1000),
    "env": lambda *_: list(os.environ),
}
