import asyncio
import datetime
import decimal
import logging
import os
import signal
import subprocess
import sys
import threading
import time

import tasker

print("printed while loading")
print("no newline", end="")
subprocess.run("echo printed by a child while loading", shell=True, check=True)

TASK = "task_id namespace name version context tags initiator source_system reason requested_at".split()
STEP = "workflow_step_id name attempts attempt retry_limit inputs results config idempotency_key".split()


@tasker.handler("Fixtures::Echo")
def echo(task, sequence, step):
    return task.context["value"]


@tasker.handler("Fixtures::AsyncEcho")
async def async_echo(task, sequence, step):
    await asyncio.sleep(0)
    return task.context["value"]


@tasker.handler("Fixtures::Arguments")
class Arguments:
    def process(self, task, sequence, step):
        return {
            "task": {name: getattr(task, name) for name in TASK},
            "step": {name: getattr(step, name) for name in STEP},
            "steps": [(s.workflow_step_id, s.name, s.results) for s in sequence.steps],
            "found": sequence.find_step_by_name("b").results,
            "missing": sequence.find_step_by_name("nobody"),
        }


@tasker.handler("Fixtures::Gate")
def gate(task, sequence, step):
    """Returns what is written to a named pipe; opening the pipe for writing succeeds once this handler runs."""
    with open(step.config["path"]) as pipe:
        return pipe.read()


@tasker.handler("Fixtures::AsyncGate")
async def async_gate(task, sequence, step):
    return await asyncio.get_running_loop().run_in_executor(None, gate, task, sequence, step)


@tasker.handler("Fixtures::Busy")
def busy(task, sequence, step):
    with open(step.config["path"], "w") as pipe:
        pipe.write("started")
    ends = time.monotonic() + step.config["ms"] / 1000
    while time.monotonic() < ends:
        pass


@tasker.handler("Fixtures::FailRetryable")
def fail_retryable(task, sequence, step):
    raise tasker.RetryableError("try later", retry_after=step.config["seconds"], context={"why": "busy"})


@tasker.handler("Fixtures::FailPermanent")
def fail_permanent(task, sequence, step):
    raise tasker.PermanentError("never", error_code="NO_FUNDS", context={"card": 1})


@tasker.handler("Fixtures::FailUnknown")
def fail_unknown(task, sequence, step):
    raise ValueError("unexpected")


@tasker.handler("Fixtures::DeepCause")
def deep_cause(task, sequence, step, depth=200):
    try:
        if depth == 0:
            raise RuntimeError("bottom " + "x" * 10_000)
        deep_cause(task, sequence, step, depth - 1)
    except RuntimeError as error:
        if depth > 20:
            raise
        raise RuntimeError(f"cause {depth}") from error


class Rude(Exception):
    def __str__(self):
        raise RuntimeError("no message for you")


@tasker.handler("Fixtures::Hostile")
def hostile(task, sequence, step):
    raise Rude


@tasker.handler("Fixtures::SoftExit")
def soft_exit(task, sequence, step):
    sys.exit(3)


@tasker.handler("Fixtures::AsyncSoftExit")
async def async_soft_exit(task, sequence, step):
    asyncio.create_task(end_loop())
    await asyncio.sleep(0)
    sys.exit(3)


async def end_loop():
    sys.exit(4)


@tasker.handler("Fixtures::HardExit")
def hard_exit(task, sequence, step):
    os._exit(3)


@tasker.handler("Fixtures::KillSelf")
def kill_self(task, sequence, step):
    os.kill(os.getpid(), signal.SIGKILL)
    threading.Event().wait()


@tasker.handler("Fixtures::Noise")
def noise(task, sequence, step):
    print("printed", end="")
    print("warned", end="", file=sys.stderr)
    os.write(1, b'{"jsonrpc":"2.0","id":"forged","result":{}}\n')
    subprocess.run("echo printed by a child; echo warned by a child >&2", shell=True, check=True)
    return "quiet"


@tasker.handler("Fixtures::Flood")
def flood(task, sequence, step):
    for _ in range(10 * 1024):
        sys.__stderr__.write("x" * 1023 + "\n")
    return "done"


@tasker.handler("Fixtures::ChildFds")
def child_fds(task, sequence, step):
    script = "for fd in 3 4 5 6 7 8 9; do [ -e /proc/self/fd/$fd ] && readlink /proc/self/fd/$fd; done; env | grep ^TASKER_"
    return subprocess.run(script, shell=True, stdout=subprocess.PIPE, close_fds=False).stdout.decode()


@tasker.handler("Fixtures::CloseStdio")
def close_stdio(task, sequence, step):
    for fd in (0, 1, 2):
        os.close(fd)
    return "closed"


@tasker.handler("Fixtures::Pollute")
def pollute(task, sequence, step):
    os.chdir("/")
    os.umask(0o777)
    os.environ["POLLUTED"] = "1"
    try:
        signal.signal(signal.SIGWINCH, lambda *_: None)
    except ValueError:  # only the main thread may
        pass


@tasker.handler("Fixtures::Surroundings")
def surroundings(task, sequence, step):
    umask = os.umask(0)
    os.umask(umask)
    return {"folder": os.getcwd(), "umask": umask, "polluted": os.environ.get("POLLUTED"), "caught": caught(signal.SIGWINCH)}


def caught(number):
    if not os.path.exists("/proc/self/status"):
        return None
    with open("/proc/self/status") as status:
        mask = next(line.split()[1] for line in status if line.startswith("SigCgt"))
    return bool(int(mask, 16) >> (number - 1) & 1)


@tasker.handler("Fixtures::LogMessage")
def log_message(task, sequence, step):
    logging.getLogger("shop").info("x" * step.config["bytes"], extra={"amount": 12})
    return "logged"


@tasker.handler("Fixtures::Returns")
def returns(task, sequence, step):
    what = step.config["what"]
    if what == "nothing":
        return None
    if what == "nan":
        return {"items": [1, {"price": float("nan")}]}
    if what == "infinity":
        return [float("-inf")]
    if what == "cycle":
        cycle = []
        cycle.append(cycle)
        return cycle
    if what == "deep":
        return nested(100_000, [])
    if what == "nested":
        return nested(step.config["levels"], 1)
    if what == "bytes":
        return {"blob": b"\xff\xfe"}
    if what == "bad text":
        return {"text": "caf\udce9"}
    if what == "object":
        return {"thing": [object()]}
    if what == "nul":
        return {"text": "a\0b"}
    if what == "escaped nul":
        return {"text": "a\\u0000b"}
    if what == "large":
        return "x" * step.config["bytes"]
    if what == "dates":
        return {
            "at": datetime.datetime.fromtimestamp(0.25, datetime.timezone(datetime.timedelta(hours=2))),
            "day": datetime.date(2026, 1, 2),
            "price": decimal.Decimal("12.3"),
            "tags": {"a"},
            "sym": "b",
        }


def nested(levels, value):
    for _ in range(levels):
        value = [value]
    return value
