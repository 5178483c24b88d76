"""What the steps of the pipeline have in common."""

import datetime

import tasker

# What a task gets that sets no thresholds of its own.
QUALITY_THRESHOLDS = {"max_null_percentage": 0.05, "min_customer_records": 100, "min_order_records": 50}


def now():
    """This moment as the results spell it."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


def result_of(sequence, step_name, key, error_code):
    """Return results[key] of an earlier step. What is absent now stays absent, so that fails for good."""
    step = sequence.find_step_by_name(step_name)
    value = (step.results or {}).get(key) if step else None
    if value is None:
        raise tasker.PermanentError(f"{step_name} left no {key}", error_code=error_code)
    return value


def thresholds(task):
    """The quality that this task asks of its data."""
    return {**QUALITY_THRESHOLDS, **task.context.get("quality_thresholds", {})}


def require_records(records, minimum, what):
    """Fail for good when there are fewer records than the task asks for."""
    if len(records) < minimum:
        raise tasker.PermanentError(
            f"{len(records)} {what} are fewer than the {minimum} that the task asks for",
            error_code="INSUFFICIENT_DATA",
        )
