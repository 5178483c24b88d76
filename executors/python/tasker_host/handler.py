"""What one module serves: its handlers, and how each of them is called."""

import inspect

from tasker_host import typed_inputs
from tasker_host.handler_speed import HandlerSpeed


class Handler:
    """A function or class that the host serves."""

    def __init__(self, name, file, target):
        self.name = name
        self.file = file
        mark = getattr(target, "__dict__", {}).get("__tasker_handler__")
        self.exclusive = bool(mark and mark.exclusive)
        self.cpu = bool(mark and mark.cpu)
        self._target = target
        self._is_class = inspect.isclass(target)
        self._takes_config = self._is_class and _takes_config(target)
        called = target.process if self._is_class else target
        self.speed = HandlerSpeed()
        self.is_async = inspect.iscoroutinefunction(called)
        self._inputs = typed_inputs.Inputs.of(called, skip=1 if self._is_class else 0)

    def description(self):
        """The handler as the response to `initialize` describes it."""
        described = {"name": self.name, "file": self.file}
        if self.exclusive:
            described["exclusive"] = True
        if self.cpu:
            described["cpu"] = True
        if self._inputs and self._inputs.schema():
            described["input_schema"] = self._inputs.schema()
        return described

    def call(self, task, sequence, step):
        """Calls the function, or `process` of a new instance."""
        called = self._target if not self._is_class else self._instance(step).process
        if self._inputs is None:
            return called(task, sequence, step)
        return called(**self._inputs.arguments(task, sequence, step))

    def _instance(self, step):
        return self._target(config=step.config) if self._takes_config else self._target()


def served(module):
    """Yields the name and the target of every handler that the module defines."""
    for attribute, value in list(vars(module).items()):
        mark = getattr(value, "__dict__", {}).get("__tasker_handler__")
        if mark and mark.module == module.__name__:
            yield mark.name or f"{module.__name__}.{attribute}", value
        elif getattr(value, "__module__", None) != module.__name__:
            continue
        elif _is_handler_class(attribute, value):
            yield f"{module.__name__}.{attribute}", value
        elif attribute == "process" and callable(value) and not inspect.isclass(value):
            yield module.__name__, value


def _is_handler_class(attribute, value):
    return (
        inspect.isclass(value)
        and not attribute.startswith("_")
        and callable(getattr(value, "process", None))
        and not inspect.isabstract(value)
    )


def _takes_config(target):
    try:
        parameters = typed_inputs.signature(target).parameters
    except (TypeError, ValueError):
        return False
    return "config" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())
