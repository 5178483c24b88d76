"""The handler of every step of the shapes, which does next to nothing.

The task's context says which steps fail, and how long they take:

    {"failures": {"merge_branches": {"times": 2}, "end_workflow": {"permanent": true}},
     "sleep_ms": 10, "sleep": {"merge_branches": 500}}
"""

import time

import tasker


class WorkHandler:
    def process(self, task, sequence, step):
        _pause(task.context, step)
        _fail_as_told(task.context, step)

        return {
            "success": True,
            "step_name": step.name,
            "attempt": step.attempt,
            "language": "python",
            "parents": {parent.name: (parent.results or {}).get("step_name") for parent in sequence.steps},
        }


def _pause(context, step):
    milliseconds = context.get("sleep", {}).get(step.name, context.get("sleep_ms", 0))
    time.sleep(milliseconds / 1000)


def _fail_as_told(context, step):
    failure = context.get("failures", {}).get(step.name, {})

    if failure.get("permanent"):
        raise tasker.PermanentError(f"{step.name} was told to fail for good", error_code="TOLD_TO_FAIL")

    times = failure.get("times", 0)
    if step.attempt <= times:
        raise tasker.RetryableError(f"{step.name} fails on attempt {step.attempt}, as on the first {times}")
