import contextlib
import hashlib
import json
import os
import select
import signal
import tempfile
import unittest

import test_host


@contextlib.contextmanager
def ends(pid):
    """The process has to end within the body or soon after it."""
    fd = os.pidfd_open(pid)  # Linux only, as the signal that a process gets when its parent dies
    try:
        yield
        assert select.select([fd], [], [], 20)[0], f"{pid} goes on"
    finally:
        os.close(fd)


class Cpu(test_host.HostTest):
    def cpu(self, do, *args, **more):
        return self.peer.execute("cpu", config={"do": do, "args": args}, **more)

    def result(self, do, *args, **more):
        got = self.peer.outcome(self.cpu(do, *args, **more))
        self.assertEqual(got["outcome"], "success", got)
        return got.get("result")

    def cancelled(self, running, **how):
        self.peer.cancel(running, **how)
        return self.peer.outcome(running)

    def test_is_reported(self):
        described = {h["name"]: h.get("cpu") for h in self.peer.ready["handlers"]}
        self.assertEqual((described["cpu"], described["cpu_async"], described["compute"]), (True, True, None))

    def test_runs_in_another_process_that_is_kept(self):
        first = self.result("pid")
        self.assertNotEqual(first, self.peer.process.pid)
        self.assertEqual(self.result("pid"), first)

    def test_costs_nothing_before_the_first_step(self):
        self.assertEqual(self.peer.run("cpu_modules")["result"], [])
        self.result("pid")
        self.assertEqual(len(self.peer.run("cpu_modules")["result"]), 2)

    def test_loads_only_the_files_with_cpu_handlers(self):
        self.assertEqual(self.result("modules"), ["cases"])

    def test_results_failures_and_typed_inputs_are_those_of_a_thread(self):
        computed = self.peer.run("cpu_typed", context=test_host.Typed.ORDER)
        threaded = self.peer.run("typed", context=test_host.Typed.ORDER)
        for outcome in (computed, threaded):
            outcome.pop("metadata", None)  # the processor time, which is measured
        self.assertEqual(computed, threaded)
        failure = self.peer.outcome(self.cpu("fail"))["failure"]
        self.assertEqual((failure["class"], failure["retry_after_ms"]), ("tasker.RetryableError", 2000))
        self.assertIn("in _fail", " ".join(failure["backtrace"]))
        self.assertEqual(self.peer.outcome(self.cpu("object"))["failure"]["class"], "Tasker::InvalidResult")

    def test_what_is_printed_and_logged_belongs_to_the_step_and_precedes_its_end(self):
        running = self.cpu("say")
        self.peer.outcome(running)
        self.assertEqual([log["message"] for log in self.peer.logs(running)], ["printed True", "logged", "the end"])

    def test_calls_go_round(self):
        for handler, config in (("cpu", {"do": "call", "args": ["lease"]}), ("cpu_async", {})):
            running = self.peer.execute(handler, config=config)
            request = self.peer.next("step.lease")
            self.assertEqual(request["params"], {"execution_id": running})
            self.peer.send({"id": request["id"], "result": {"current": True}})
            self.assertEqual(self.peer.outcome(running)["result"], {"current": True})

    def test_calls_of_several_steps_are_not_mixed_up(self):
        running = [self.cpu("call", "secret", "key") for _ in range(4)]
        for _ in running:
            request = self.peer.next("secrets.get")
            self.peer.send({"id": request["id"], "result": {"value": "of " + request["params"]["execution_id"]}})
        self.assertEqual([self.peer.outcome(step)["result"] for step in running], ["of " + step for step in running])

    def test_a_refused_call_is_raised_in_the_handler(self):
        running = self.cpu("call", "lease")
        self.peer.send({"id": self.peer.next("step.lease")["id"], "error": {"code": -32020, "message": "stale"}})
        self.assertEqual(self.peer.outcome(running)["failure"]["class"], "tasker.LeaseLost")

    def test_a_cancel_ends_the_process_and_not_its_neighbours(self):
        stays, goes = self.cpu("compute_on"), self.cpu("compute_in_c")
        for _ in range(2):
            self.peer.next("step.heartbeat")
        self.assertEqual(self.cancelled(goes, grace_ms=1), {"outcome": "cancelled"})
        self.assertEqual(self.peer.answer(self.peer.request("ping", {}))["result"]["in_flight"], 1)
        self.assertEqual(self.cancelled(stays, reason="timeout", grace_ms=1), {"outcome": "cancelled"})
        self.result("pid")

    def test_what_has_to_be_killed_prints_its_stacks_first(self):
        running = self.cpu("compute_in_c")
        self.peer.next("step.heartbeat")
        self.assertEqual(self.cancelled(running, grace_ms=8000), {"outcome": "cancelled"})
        self.peer.process.kill()
        self.assertIn(b"in _compute_in_c", self.peer.process.stderr.read())

    def test_a_handler_that_looks_ends_with_its_checkpoint_and_keeps_its_process(self):
        running = self.cpu("notice")
        process = self.peer.next("step.heartbeat")["params"]["message"]
        self.assertEqual(self.cancelled(running, grace_ms=60_000), {"outcome": "cancelled", "checkpoint": {"rows": 3}})
        self.assertEqual(str(self.result("pid")), process)

    def test_a_cancel_at_once_reaches_a_process_that_is_starting(self):
        running = self.cpu("notice")
        self.assertEqual(self.cancelled(running)["outcome"], "cancelled")

    def test_a_cancel_reaches_what_the_handler_has_started(self):
        running = self.cpu("spawn")
        with ends(int(self.peer.next("step.heartbeat")["params"]["message"])):
            self.cancelled(running, grace_ms=1)

    def test_a_process_that_ends_fails_its_step_alone(self):
        other = self.cpu("compute_on")
        self.peer.next("step.heartbeat")
        for do, args, how in (("exit", [3], "exited with status 3"), ("kill", [], "was killed by SIGKILL")):
            failure = self.peer.outcome(self.cpu(do, *args))["failure"]
            self.assertEqual((failure["kind"], failure["class"]), ("retryable", "Tasker::ProcessEnded"))
            self.assertIn(how, failure["message"])
        self.cancelled(other, grace_ms=1)

    def test_an_idle_process_that_was_killed_is_replaced(self):
        first = self.result("pid")
        with ends(first):
            os.kill(first, signal.SIGKILL)
        self.assertNotEqual(self.result("pid"), first)

    def test_a_process_that_asks_for_it_is_replaced_and_the_host_is_not(self):
        first = self.result("wear")
        self.assertNotEqual(self.result("pid"), first)
        self.assertFalse([m for m in self.peer.seen if m.get("method") == "executor.status"])

    def test_hears_of_the_level_of_the_log(self):
        self.result("pid")
        self.peer.send({"method": "log.set_level", "params": {"level": "error"}})
        running = self.cpu("say")
        self.peer.outcome(running)
        self.assertEqual([log["message"] for log in self.peer.logs(running)], ["printed True", "the end"])

    def test_a_running_step_ends_before_a_host_that_was_told_to(self):
        running = self.cpu("call", "lease")
        request = self.peer.next("step.lease")
        self.peer.process.send_signal(signal.SIGTERM)
        self.peer.send({"id": request["id"], "result": {"current": True}})
        self.assertEqual(self.peer.outcome(running)["outcome"], "success")
        self.peer.process.wait()

    def test_starts_where_a_handler_has_closed_the_standard_streams(self):
        self.peer.run("close_streams")
        self.result("pid")

    def test_starts_in_the_surroundings_of_the_host(self):
        self.peer.run("untidy")
        self.assertEqual(self.result("process_state"), self.peer.run("process_state")["result"])

    def test_dies_when_the_worker_is_gone(self):
        with ends(self.running_process()):
            os.close(self.peer._out)
        self.peer._out = os.open(os.devnull, os.O_WRONLY)

    def test_dies_with_the_host(self):
        with ends(self.running_process()):
            self.peer.process.kill()

    def running_process(self):
        self.cpu("compute_in_c")
        return int(self.peer.next("step.heartbeat")["params"]["message"])


class CpuFiles(test_host.HostTest):
    limits = {"max_inline_bytes": 1000}

    def test_params_and_results_go_by_file(self):
        with tempfile.TemporaryDirectory() as scratch:
            step, handler = {"id": "1", "inputs": "x" * 600}, {"name": "cpu", "config": {"do": "inputs"}}
            data = json.dumps({"step": step, "task": {"id": "2"}, "handler": handler}).encode()
            with open(os.path.join(scratch, "in.json"), "wb") as file:
                file.write(data)
            described = {"path": "in.json", "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            params = {"execution_id": "f", "scratch_dir": scratch, "params_file": described}
            got = self.peer.outcome(self.peer.request("step.execute", params))["result_file"]
            with open(os.path.join(scratch, got["path"]), encoding="ascii") as file:
                self.assertEqual(json.load(file), ["x" * 600] * 2)


if __name__ == "__main__":
    unittest.main()
