import tasker


@tasker.handler("GoodHandler")
def good(task, sequence, step):
    return "first"
