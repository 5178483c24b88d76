def process(task, sequence, step):
    return None


def boom():
    raise KeyError("no such setting")


boom()
