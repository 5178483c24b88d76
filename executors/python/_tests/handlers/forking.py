import asyncio
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import tasker


@tasker.handler("fork")
def fork(task, sequence, step):
    """The child goes where the context says; the parent waits for its end and returns how it was."""
    print("before the fork", end="", file=sys.__stderr__)
    child = os.fork()
    if child == 0:
        return CHILD[task.context["child"]](step)
    return ended(child)


@tasker.handler("fork_cpu", cpu=True)
def fork_cpu(task, sequence, step):
    return fork(task, sequence, step)


@tasker.handler("fork_async")
async def fork_async(task, sequence, step):
    child = os.fork()
    if child == 0:
        if task.context["child"] == "awaits":
            await asyncio.sleep(0)
            os._exit(42)
        return CHILD[task.context["child"]](step)
    return await asyncio.get_running_loop().run_in_executor(None, ended, child)


@tasker.handler("fork_neighbour")
async def fork_neighbour(task, sequence, step):
    """Continues in the loop after another handler has forked it: only the first process can make the folder."""
    step.heartbeat()
    while not os.path.exists(task.context["go"]):
        await asyncio.sleep(0.001)
    os.mkdir(os.path.join(task.context["go"], str(os.getpid())))
    return os.getpid()


@tasker.handler("fork_quick")
def fork_quick(task, sequence, step):
    if not task.context:
        return threading.current_thread().name
    return fork(task, sequence, step)


@tasker.handler("fork_and_terminate")
def fork_and_terminate(task, sequence, step):
    child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(600,))
    child.start()
    child.terminate()
    child.join()
    return child.exitcode


@tasker.handler("fork_and_compute")
def fork_and_compute(task, sequence, step):
    with multiprocessing.get_context(task.context["how"]).Pool(2) as processes:
        return processes.map(square, range(4))


@tasker.handler("fork_and_exec")
def fork_and_exec(task, sequence, step):
    """A program that is started by a fork with Python code before its exec."""
    script = "import signal; print(signal.getsignal(signal.SIGTERM) == signal.SIG_DFL, signal.pthread_sigmask(signal.SIG_BLOCK, ()))"
    started = subprocess.run([sys.executable, "-c", script], preexec_fn=os.setsid, stdout=subprocess.PIPE, text=True)
    return started.stdout


def square(number):
    return number * number


def ended(child):
    status = os.waitpid(child, 0)[1]
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def say(step):
    print("printed by the child")
    print("no newline", end="")
    logging.getLogger("shop").error("logged by the child")
    step.heartbeat(1, "of the child")


def ask(step):
    try:
        step.publish_event("forked")
    except tasker.CallFailed as error:
        print(error)


def fail(step):
    raise ValueError("the child failed")


def fork_on(step):
    child = os.fork()
    if child:
        os._exit(ended(child) + 5)


def terminate(step):
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(600)


def work_in_threads(step):
    """A lock that a thread of the parent held would never be released here."""
    thread = threading.Thread(target=say, args=(step,))
    thread.start()
    thread.join()


CHILD = {
    "returns": lambda step: "the child",
    "says": say,
    "asks": ask,
    "fails": fail,
    "exits": lambda step: sys.exit(7),
    "forks": fork_on,
    "terminates": terminate,
    "threads": work_in_threads,
    "is cancelled": lambda step: (_ for _ in ()).throw(tasker.Cancelled()),
    "saves": lambda step: "x" * 3000,
}


@tasker.handler("talks")
def talks(task, sequence, step):
    """Holds, again and again, every lock that logs and prints have."""
    while not step.cancelled:
        print("talking")
        sys.__stderr__.write("talking\n")
        logging.getLogger("shop").info("talking")
