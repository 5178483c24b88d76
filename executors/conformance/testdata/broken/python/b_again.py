import tasker


@tasker.handler("GoodHandler")
def again(task, sequence, step):
    return "second"
