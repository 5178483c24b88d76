# The lower bound of a call: reads a line, parses it, and writes the payload back.
import json
import sys
import time


def pause(times):
    took = []
    for _ in range(times):
        began = time.perf_counter()
        time.sleep(0.01)
        took.append((time.perf_counter() - began) * 1000)
    return took


for line in sys.stdin:
    call = json.loads(line)
    result = call["params"] if call["method"] == "echo" else pause(call["params"])
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": call["id"], "result": result}) + "\n")
    sys.stdout.flush()
