"""Fixtures of what a handler does through its current step."""

import asyncio
import logging
import subprocess
import time

import tasker

CALLS = {
    "step.lease": lambda step: step.lease() and None,
    "step.save_checkpoint": lambda step: step.save_checkpoint({"page": 3}) and None,
    "step.publish_event": lambda step: step.publish_event("paid", {"amount": 1}) and None,
    "step.spawn": lambda step: step.spawn([{"name": "more", "handler": "Fixtures::Echo"}]) and None,
    "tasks.create": lambda step: step.create_task("n", "t", "1.0.0", {}) and None,
    "secrets.get": lambda step: step.secret("key"),
}


def announce(step):
    if step.config and "path" in step.config:
        with open(step.config["path"], "w") as pipe:
            pipe.write("started")


if hasattr(tasker, "current_step"):

    @tasker.handler("Fixtures::WaitForCancel")
    def wait_for_cancel(task, sequence, step):
        announce(step)
        while True:
            step.check()
            time.sleep(0.01)

    @tasker.handler("Fixtures::AsyncWaitForCancel")
    async def async_wait_for_cancel(task, sequence, step):
        await asyncio.get_running_loop().run_in_executor(None, announce, step)
        await asyncio.Event().wait()

    @tasker.handler("Fixtures::Callback")
    def callback(task, sequence, step):
        return CALLS[step.config["method"]](step)

    @tasker.handler("Fixtures::CallbackInLoop")
    async def callback_in_loop(task, sequence, step):
        step.lease()

    @tasker.handler("Fixtures::LeaseThenEffect")
    def lease_then_effect(task, sequence, step):
        return [caught(step.lease), caught(lambda: step.publish_event("paid", {}))]

    @tasker.handler("Fixtures::Heartbeat")
    def heartbeat(task, sequence, step):
        step.heartbeat(0.5, "half")

    @tasker.handler("Fixtures::Defer")
    def defer(task, sequence, step):
        raise tasker.Deferred(step.config["seconds"], {"page": 3})

    @tasker.handler("Fixtures::CurrentStep")
    def current_step(task, sequence, step):
        with open(step.config["path"]) as pipe:
            pipe.read()
        return tasker.current_step().config["name"]

    @tasker.handler("Fixtures::LogInjection")
    def log_injection(task, sequence, step):
        logging.getLogger("shop").info('first\n{"forged":true}')

    @tasker.handler("Fixtures::LeaveChild")
    def leave_child(task, sequence, step):
        return subprocess.Popen(["sleep", "300"], start_new_session=step.config["kind"] == "daemon").pid

    @tasker.handler("Fixtures::Exclusive", exclusive=True)
    def exclusive(task, sequence, step):
        with open(step.config["path"]) as pipe:
            return pipe.read()


def caught(call):
    try:
        call()
    except tasker.LeaseLost:
        return "LeaseLost"
    return "none"
