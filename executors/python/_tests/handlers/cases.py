import asyncio
import dataclasses
import datetime
import decimal
import enum
import logging
import os
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


@tasker.handler("surroundings")
def surroundings(task, sequence, step):
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
