"""The arithmetic of the report. Each step reads what earlier steps, in whatever language, have left."""

import tasker


@tasker.handler
def net_sales(task, sequence, step):
    sales = sequence.find_step_by_name("collect_sales").results["sales"]
    returns = sequence.find_step_by_name("collect_returns").results["returns"]
    return {"net": {region: amount - returns[region] for region, amount in sales.items()}}


@tasker.handler
def target_gap(task, sequence, step):
    net = sequence.find_step_by_name("net_sales").results["net"]
    targets = sequence.find_step_by_name("collect_targets").results["targets"]
    return {"gap": {region: amount - targets[region] for region, amount in net.items()}}


@tasker.handler
def ranking(task, sequence, step):
    net = sequence.find_step_by_name("net_sales").results["net"]
    return {"ranking": sorted(net, key=net.get, reverse=True), "total": sum(net.values())}
