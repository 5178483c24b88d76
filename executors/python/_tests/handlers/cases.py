import asyncio
import dataclasses
import datetime
import decimal
import enum
import logging
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import warnings
from typing import Dict, List, Optional

import tasker


@tasker.handler("spin")
def spin(task, sequence, step):
    step.checkpoint = {"rows": 3}
    step.heartbeat(0.4, "spinning")
    while True:
        step.check()
        time.sleep(0.001)


@tasker.handler("sleep_async")
async def sleep_async(task, sequence, step):
    step.heartbeat(0.1)
    await asyncio.sleep(600)


@tasker.handler("returns_coroutine")
def returns_coroutine(task, sequence, step):
    return sleep_async(task, sequence, step)


@tasker.handler("defer")
def defer(task, sequence, step):
    raise tasker.Deferred(1.5, {"seen": step.checkpoint})


@tasker.handler("call")
def call(task, sequence, step):
    return getattr(tasker.current_step(), step.config["method"])(*step.config.get("args", []))


@tasker.handler("acall")
async def acall(task, sequence, step):
    return await getattr(step, "a" + step.config["method"])(*step.config.get("args", []))


@tasker.handler("sync_on_loop")
async def sync_on_loop(task, sequence, step):
    return step.lease()


@tasker.handler("lease_twice")
def lease_twice(task, sequence, step):
    try:
        step.lease()
    except tasker.LeaseLost:
        step.publish_event("late")


@tasker.handler("leaks")
def leaks(task, sequence, step):
    key = step.secret("key")
    print("printed", key)
    logging.getLogger("shop").info("logged %s", [key], extra={"url": "https://" + key})
    raise tasker.PermanentError(key + " refused", context={"key": [key]})


@tasker.handler("noisy")
def noisy(task, sequence, step):
    print("one\ntwo", end="")
    warnings.warn("careful")
    logging.getLogger("shop").error("bad")


@tasker.handler("anoisy")
async def anoisy(task, sequence, step):
    print("from the loop")


@tasker.handler("untidy")
def untidy(task, sequence, step):
    os.chdir("/")
    os.umask(0)
    os.environ["UNTIDY"] = "1"


@tasker.handler("process_state")
def process_state(task, sequence, step):
    umask = os.umask(0o022)
    os.umask(umask)
    return {"cwd": os.getcwd(), "umask": umask, "untidy": os.environ.get("UNTIDY")}


@tasker.handler("alone", exclusive=True)
def alone(task, sequence, step):
    return "alone"


@tasker.handler("compute")
def compute(task, sequence, step):
    ends = time.thread_time() + 0.05
    while time.thread_time() < ends:
        pass


class Currency(enum.Enum):
    EUR = "eur"


@dataclasses.dataclass
class Item:
    price: decimal.Decimal
    count: int = 1


@dataclasses.dataclass
class Order:
    items: List[Item]
    placed: datetime.datetime
    currency: Currency
    note: Optional[str] = None
    extra: Dict[str, int] = dataclasses.field(default_factory=dict)


@tasker.handler("typed")
def typed(order: "Order", step):
    assert isinstance(order, Order) and isinstance(order.items[0], Item), order
    return order


@tasker.handler("typed_keyword")
def typed_keyword(task, sequence, step, *, inputs: Item):
    return {"total": inputs.price * inputs.count, "task": task.name}


@tasker.handler("wait_forever")
def wait_forever(task, sequence, step):
    step.heartbeat()
    threading.Event().wait()


@tasker.handler("big")
def big(task, sequence, step):
    return "x" * 3000


@tasker.handler("moody")
def moody(task, sequence, step):
    """Quick, but for what the context asks for."""
    if "wait_for" in task.context:
        with open(task.context["wait_for"]) as pipe:
            pipe.read()
    if "ask" in task.context:
        step.lease()
    return threading.current_thread().name


@tasker.handler("close_streams")
def close_streams(task, sequence, step):
    for fd in range(3):
        os.close(fd)


@tasker.handler("cpu_modules")
def cpu_modules(task, sequence, step):
    return [name for name in sys.modules if name.startswith("tasker_host.cpu")]


@tasker.handler("cpu", cpu=True)
def cpu(task, sequence, step):
    return CPU[step.config["do"]](step, *step.config.get("args", []))


@tasker.handler("cpu_async", cpu=True)
async def cpu_async(task, sequence, step):
    step.heartbeat(0.1)
    return await step.alease()


@tasker.handler("cpu_typed", cpu=True)
def cpu_typed(order: "Order", step):
    return order


def _compute_on(step):
    step.heartbeat(0.5, str(os.getpid()))
    while True:
        pass


def _compute_in_c(step):
    step.heartbeat(0.5, str(os.getpid()))
    sum(range(10**15))  # no other thread of the process gets to run


def _notice(step):
    step.checkpoint = {"rows": 3}
    step.heartbeat(0.5, str(os.getpid()))
    while not step.cancelled:
        pass
    step.check()


def _fail(step):
    raise tasker.RetryableError("busy", retry_after=2)


def _say(step):
    print("printed", tasker.current_step() is step)
    logging.getLogger("shop").info("logged", extra={"at": 1})
    print("the end", end="")


def _spawn(step):
    child = subprocess.Popen(["sleep", "600"])
    step.heartbeat(message=str(child.pid))
    time.sleep(600)


def _wear(step):
    """Uses a descriptor that is not its own."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return os.getpid()


CPU = {
    "wear": _wear,
    "compute_on": _compute_on,
    "compute_in_c": _compute_in_c,
    "notice": _notice,
    "fail": _fail,
    "say": _say,
    "spawn": _spawn,
    "exit": lambda step, status: os._exit(status),
    "kill": lambda step: os.kill(os.getpid(), signal.SIGKILL),
    "pid": lambda step: os.getpid(),
    "call": lambda step, method, *args: getattr(step, method)(*args),
    "modules": lambda step: [name for name in sys.modules if name in ("cases", "elsewhere")],
    "process_state": lambda step: process_state(None, None, step),
    "object": lambda step: object(),
    "inputs": lambda step: [step.inputs] * 2,
}


@tasker.handler("context")
def context(task, sequence, step):
    return task.context


@tasker.handler("returns_computing_coroutine")
def returns_computing_coroutine(task, sequence, step):
    """Computes here, and then elsewhere: the thread's own time is not that of the step."""
    compute(task, sequence, step)

    async def rest():
        compute(task, sequence, step)

    return rest()


@tasker.handler("use_up_descriptors")
def use_up_descriptors(task, sequence, step):
    resource.setrlimit(resource.RLIMIT_NOFILE, (os.dup(0),) * 2)
