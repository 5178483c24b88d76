import contextvars
import decimal
import gc
import locale
import logging
import logging.config
import os
import resource
import socket
import sys
import threading
import time
import warnings

import tasker


@tasker.handler("changes")
def changes(task, sequence, step):
    """Changes what the context says, and waits for a second: some things are looked after no more often."""
    CHANGES[task.context["what"]]()


@tasker.handler("all_surroundings")
def all_surroundings(task, sequence, step):
    warnings.warn("careful", stacklevel=1)
    logging.getLogger("shop").info("logged")
    return {
        "recursion limit": sys.getrecursionlimit(),
        "gc": gc.isenabled(),
        "socket timeout": socket.getdefaulttimeout(),
        "filters": [str(each) for each in warnings.filters],
        "showwarning": warnings.showwarning.__module__,
        "logging": [logging.root.level, [type(each).__name__ for each in logging.root.handlers], logging.root.manager.disable],
        "logger": logging.getLogger("shop").disabled,
        "time zone": time.strftime("%H %Z", time.localtime(0)),
        "locale": locale.setlocale(locale.LC_ALL),
        "limits": resource.getrlimit(resource.RLIMIT_NOFILE),
        "decimals": decimal.getcontext().prec,
        "streams": [type(sys.stdout).__name__, sys.__stdout__.closed],
        "targets": [target(fd) for fd in range(3)],
    }


@tasker.handler("leaves_a_thread")
def leaves_a_thread(task, sequence, step):
    """The thread belongs to this step, and says so when the pipe is opened, long after the step."""
    logging.getLogger("shop")
    context = contextvars.copy_context()

    def say():
        with open(task.context["path"]):
            pass
        print("printed late")
        print("and without an end", end="")
        logging.getLogger("shop").warning("logged late")
        with open(task.context["path"], "w"):
            pass

    threading.Thread(target=context.run, args=(say,), daemon=True).start()


@tasker.handler("awaits_a_thread")
def awaits_a_thread(task, sequence, step):
    with open(task.context["path"], "w"):
        pass
    with open(task.context["path"]):
        pass


def target(fd):
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    except OSError:
        return None


def reopen(how):
    time.sleep(1)
    how()


def race_of_warnings():
    """What two threads make of it that use catch_warnings at once."""
    first, second = warnings.catch_warnings(record=True), warnings.catch_warnings(record=True)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    second.__exit__(None, None, None)
    warnings.simplefilter("ignore")


def change_zone():
    os.environ["TZ"] = "Asia/Tokyo"
    time.tzset()
    del os.environ["TZ"]


CHANGES = {
    "recursion limit": lambda: sys.setrecursionlimit(5000),
    "gc": gc.disable,
    "socket timeout": lambda: socket.setdefaulttimeout(0.5),
    "filters": race_of_warnings,
    "errors of warnings": lambda: warnings.simplefilter("error"),
    "logging": lambda: logging.basicConfig(force=True, level=logging.ERROR),
    "loggers": lambda: logging.config.dictConfig({"version": 1, "root": {"level": "ERROR", "handlers": []}}),
    "disabled": lambda: logging.disable(logging.CRITICAL),
    "time zone": change_zone,
    "locale": lambda: reopen(lambda: locale.setlocale(locale.LC_ALL, "C.UTF-8" if locale.setlocale(locale.LC_ALL) == "C" else "C")),
    "decimals": lambda: setattr(decimal.getcontext(), "prec", 5),
    "soft limit": lambda: reopen(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (200, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))),
    "hard limit": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (99, 99)),
    "session": lambda: os.setpgid(0, 0),
    "stdout": lambda: setattr(sys, "stdout", open(os.devnull, "w")),
    "closed streams": lambda: reopen(sys.__stdout__.close),
    "closed descriptors": lambda: reopen(lambda: [os.close(fd) for fd in range(3)]),
    "led elsewhere": lambda: reopen(lambda: os.dup2(os.open(os.devnull, os.O_WRONLY), 1)),
}
