"""The arguments `task` and `sequence`, made from the params of step.execute."""


class Task:
    """The task that the step belongs to."""

    __slots__ = (
        "context",
        "initiator",
        "name",
        "namespace",
        "reason",
        "requested_at",
        "source_system",
        "tags",
        "task_id",
        "version",
    )

    def __init__(self, task):
        get = task.get
        self.task_id = identifier(get("id"))
        self.namespace = get("namespace")
        self.name = get("name")
        self.version = get("version")
        self.context = get("context") or {}
        self.tags = get("tags")
        self.initiator = get("initiator")
        self.source_system = get("source_system")
        self.reason = get("reason")
        self.requested_at = get("requested_at")


class Dependency:
    """A finished step that this one depends on, directly or not."""

    __slots__ = ("name", "results", "workflow_step_id")

    def __init__(self, name, step):
        self.workflow_step_id = identifier(step.get("step_id"))
        self.name = name
        self.results = step.get("result")


class Sequence:
    """The finished ancestors of the step, its parents last."""

    __slots__ = ("steps",)

    def __init__(self, dependencies):
        self.steps = [Dependency(name, step) for name, step in dependencies.items()]

    def find_step_by_name(self, name):
        """The ancestor of that name, or None."""
        return next((step for step in self.steps if step.name == name), None)


def identifier(value):
    """Ids travel as strings, because not every language holds them as numbers."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return value
