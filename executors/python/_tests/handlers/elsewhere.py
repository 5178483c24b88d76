def process(task, sequence, step):
    return "elsewhere"
