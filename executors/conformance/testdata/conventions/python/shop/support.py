class Shared:
    async def process(self, task, sequence, step):
        return "inherited"


def answer(config):
    return {"config": config}
