import time

import tasker


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


@tasker.handler
def noop(task, sequence, step):
    return {"ok": True, "step": step.name, "note": "about a hundred bytes, as the results of small steps usually are"}


@tasker.handler
def fibo(task, sequence, step):
    return {"ok": True, "fibo": fibonacci(10)}


@tasker.handler
def echo(task, sequence, step):
    return task.context


@tasker.handler
def pause(task, sequence, step):
    time.sleep(0.01)
    return {"ok": True}
