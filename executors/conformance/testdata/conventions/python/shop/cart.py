import abc

import tasker
from shop.support import Shared, answer


class ConfiguredHandler:
    def __init__(self, config):
        self.config = config

    def process(self, task, sequence, step):
        return answer(self.config)


class PlainHandler(Shared):
    pass


class _Private:
    def process(self, task, sequence, step):
        raise AssertionError("not served")


class Abstract(abc.ABC):
    @abc.abstractmethod
    def process(self, task, sequence, step): ...


def process(task, sequence, step):
    return "module"


@tasker.handler
def decorated(task, sequence, step):
    return "decorated"


@tasker.handler()
async def called(task, sequence, step):
    return "called"


@tasker.handler("Any::Name")
class Named:
    async def process(self, task, sequence, step):
        return "named"


def helper(task, sequence, step):
    raise AssertionError("not served")
