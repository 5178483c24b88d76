import hashlib
import json
import os
import signal
import tempfile
import unittest

from peer import Peer


class HostTest(unittest.TestCase):
    limits = {}
    options = {}

    def setUp(self):
        self.peer = Peer(**self.options, **self.limits)

    def tearDown(self):
        self.peer.close()


class Cancel(HostTest):
    def test_a_sync_handler_ends_at_its_next_check_with_its_checkpoint(self):
        running = self.peer.execute("spin")
        self.assertEqual(self.peer.next("step.heartbeat")["params"]["progress"], 0.4)
        self.peer.cancel(running)
        self.assertEqual(self.peer.outcome(running), {"outcome": "cancelled", "checkpoint": {"rows": 3}})

    def test_a_coroutine_ends_inside_its_await(self):
        for handler in ("sleep_async", "returns_coroutine"):
            running = self.peer.execute(handler)
            self.peer.next("step.heartbeat")
            self.peer.cancel(running)
            self.assertEqual(self.peer.outcome(running), {"outcome": "cancelled"}, handler)

    def test_at_once_after_the_request(self):
        for handler in ("spin", "sleep_async"):
            running = self.peer.execute(handler)
            self.peer.cancel(running)
            self.assertEqual(self.peer.outcome(running)["outcome"], "cancelled", handler)

    def test_of_what_has_ended_or_is_unknown_is_ignored(self):
        ended = self.peer.execute("process_state")
        self.peer.outcome(ended)
        for execution_id in (ended, "nobody", ""):
            self.peer.cancel(execution_id)
        self.assertEqual(self.peer.run("process_state")["outcome"], "success")

    def test_leaves_neighbours_alone(self):
        first, second = self.peer.execute("spin"), self.peer.execute("spin")
        self.peer.cancel(first)
        self.peer.outcome(first)
        self.assertEqual(self.peer.answer(self.peer.request("ping", {}))["result"]["in_flight"], 1)
        self.peer.cancel(second)
        self.peer.outcome(second)

    def test_reaches_a_call_that_the_worker_never_answers(self):
        for handler in ("call", "acall"):
            running = self.peer.execute(handler, config={"method": "lease"})
            self.peer.next("step.lease")
            self.peer.cancel(running)
            self.assertEqual(self.peer.outcome(running)["outcome"], "cancelled", handler)


class QuickHandlers(HostTest):
    def setUp(self):
        super().setUp()
        while self.peer.run("moody")["result"] != "tasker-reader":
            pass

    def test_that_wait_for_once_keep_nothing_waiting(self):
        for _ in range(3):  # each time, another thread reads on
            with tempfile.TemporaryDirectory() as folder:
                pipe = os.path.join(folder, "pipe")
                os.mkfifo(pipe)
                waiting = self.peer.execute("moody", context={"wait_for": pipe})
                self.assertEqual(self.peer.answer(self.peer.request("ping", {}))["result"]["in_flight"], 1)
                self.assertEqual(self.peer.run("moody")["outcome"], "success")
                with open(pipe, "w"):
                    pass
                self.assertEqual(self.peer.outcome(waiting)["outcome"], "success")

    def test_that_are_sent_together_are_answered_though_one_of_them_waits(self):
        with tempfile.TemporaryDirectory() as folder:
            pipe = os.path.join(folder, "pipe")
            os.mkfifo(pipe)
            with self.peer.together():
                before = [self.peer.execute("moody") for _ in range(2)]
                waiting = self.peer.execute("moody", context={"wait_for": pipe})
                after = self.peer.execute("moody")
            for quick in [*before, after]:
                self.assertEqual(self.peer.outcome(quick)["outcome"], "success")
            with open(pipe, "w"):
                pass
            self.assertEqual(self.peer.outcome(waiting)["outcome"], "success")

    def test_that_ask_the_worker_get_the_answer(self):
        asking = self.peer.execute("moody", context={"ask": True})
        self.peer.send({"id": self.peer.next("step.lease")["id"], "result": {"current": True}})
        self.assertEqual(self.peer.outcome(asking)["outcome"], "success")


class Calls(HostTest):
    CASES = (
        ("lease", [], "step.lease", {}),
        ("save_checkpoint", [{"n": 1}], "step.save_checkpoint", {"checkpoint": {"n": 1}}),
        ("publish_event", ["paid"], "step.publish_event", {"name": "paid", "payload": {}, "delivery": "with_result"}),
        ("spawn", [[{"name": "a"}]], "step.spawn", {"steps": [{"name": "a"}]}),
    )

    def test_go_round_in_threads_and_on_the_loop(self):
        for handler in ("call", "acall"):
            for method, args, wire, params in self.CASES:
                running = self.peer.execute(handler, config={"method": method, "args": args})
                request = self.peer.next(wire)
                self.assertEqual(request["params"], {**params, "execution_id": running})
                self.peer.send({"id": request["id"], "result": {"ok": 1}})
                self.assertEqual(self.peer.outcome(running)["outcome"], "success")

    def failure(self, handler, *answers):
        running = self.peer.execute(handler, config={"method": "lease"})
        for answer in answers:
            self.peer.send({"id": self.peer.next("step.lease")["id"], **answer})
        return self.peer.outcome(running)

    def test_a_lost_lease_refuses_later_effects(self):
        got = self.failure("lease_twice", {"error": {"code": -32020, "message": "stale_lease"}})
        self.assertEqual(got["failure"]["class"], "tasker.LeaseLost")
        self.assertFalse([m for m in self.peer.seen if m.get("method") == "step.publish_event"])

    def test_not_permitted_is_permanent(self):
        got = self.failure("call", {"error": {"code": -32021, "message": "no"}})["failure"]
        self.assertEqual((got["kind"], got["class"]), ("permanent", "tasker.NotPermitted"))

    def test_are_made_again_when_the_worker_says_so(self):
        limited = {"error": {"code": -32022, "message": "slow", "data": {"retry_after_ms": 10}}}
        unavailable = {"error": {"code": -32023, "message": "down"}}
        for handler in ("call", "acall"):
            got = self.failure(handler, limited, unavailable, {"result": {"current": True}})
            self.assertEqual(got["result"], {"current": True}, handler)

    def test_on_the_loop_the_blocking_form_says_what_to_use(self):
        got = self.peer.run("sync_on_loop")["failure"]
        self.assertIn("await step.alease(", got["message"])

    def test_a_deferred_step_keeps_its_checkpoint(self):
        got = self.peer.run("defer", checkpoint={"page": 7})
        self.assertEqual(got, {"outcome": "deferred", "resume_after_ms": 1500, "checkpoint": {"seen": {"page": 7}}})


    def test_a_secret_is_cut_out_of_what_the_step_says(self):
        running = self.peer.execute("leaks")
        self.peer.send({"id": self.peer.next("secrets.get")["id"], "result": {"value": "hunter2\t"}})
        got = self.peer.outcome(running)["failure"]
        self.assertEqual((got["message"], got["details"]), ("[REDACTED] refused", {"key": ["[REDACTED]"]}))
        self.assertEqual([log["message"] for log in self.peer.logs(running)], ["printed [REDACTED]", "logged ['[REDACTED]']"])
        self.assertNotIn("hunter2", json.dumps([got, self.peer.logs(running)]))

    def test_a_secret_may_be_a_result(self):
        running = self.peer.execute("call", config={"method": "secret", "args": ["key"]})
        self.peer.send({"id": self.peer.next("secrets.get")["id"], "result": {"value": "hunter2"}})
        self.assertEqual(self.peer.outcome(running)["result"], "hunter2")


class CallsNotOffered(HostTest):
    options = {"callbacks": []}

    def test_fail_without_a_request(self):
        got = self.peer.run("call", config={"method": "lease"})["failure"]
        self.assertEqual(got["class"], "tasker.NotOffered")
        self.assertFalse([m for m in self.peer.seen if m.get("method") == "step.lease"])


class Process(HostTest):
    def test_exclusive_handlers_are_reported_and_run_alone(self):
        described = {h["name"]: h for h in self.peer.ready["handlers"]}
        self.assertTrue(described["alone"]["exclusive"])
        running = self.peer.execute("spin")
        self.assertEqual(self.peer.answer(self.peer.execute("alone"))["error"]["code"], -32005)
        self.peer.cancel(running)
        self.peer.outcome(running)
        self.assertEqual(self.peer.run("alone")["result"], "alone")

    def test_what_a_handler_changed_is_put_back(self):
        before = self.peer.run("process_state")["result"]
        self.peer.run("untidy")
        self.assertEqual(self.peer.run("process_state")["result"], before)

    def test_what_is_printed_warned_and_logged_belongs_to_the_step(self):
        running = self.peer.execute("noisy")
        self.peer.outcome(running)
        said = [(log["level"], log["message"]) for log in self.peer.logs(running)]
        self.assertEqual(said[0], ("info", "one"))
        self.assertIn(("info", "two"), said)
        self.assertIn(("error", "bad"), said)
        self.assertTrue(any(level == "warn" and "careful" in message for level, message in said), said)
        running = self.peer.execute("anoisy")
        self.peer.outcome(running)
        self.assertEqual([log["message"] for log in self.peer.logs(running)], ["from the loop"])

    def test_cpu_time_is_measured(self):
        self.assertGreaterEqual(self.peer.run("compute")["metadata"]["cpu_ms"], 45)

    def test_sigusr1_prints_the_handlers_frame(self):
        self.peer.execute("wait_forever")
        self.peer.next("step.heartbeat")
        self.peer.process.send_signal(signal.SIGUSR1)
        lines = iter(self.peer.process.stderr.readline, b"")
        self.assertTrue(any(b"in wait_forever" in line for line in lines))


class Typed(HostTest):
    ORDER = {"items": [{"price": "1.50", "sku": 7}], "placed": "2026-01-31T12:00:00Z", "currency": "eur", "more": 1}

    def test_the_first_argument_is_built_from_the_context(self):
        got = self.peer.run("typed", context=self.ORDER)["result"]
        want = {"items": [{"price": "1.50", "count": 1}], "placed": "2026-01-31T12:00:00.000000Z"}
        self.assertEqual(got, {**want, "currency": "eur", "note": None, "extra": {}})

    def test_a_keyword_is_built_from_the_inputs(self):
        got = self.peer.run("typed_keyword", inputs={"price": 2, "count": 3})
        self.assertEqual(got["result"], {"total": "6", "task": "t"})

    def test_wrong_data_fails_for_good_and_names_every_place(self):
        wrong = {"items": [{"price": "x", "count": True}], "placed": "soon", "note": 3}
        got = self.peer.run("typed", context=wrong)["failure"]
        self.assertEqual((got["kind"], got["class"]), ("permanent", "Tasker::InvalidInput"))
        for place in ("items[0].price", "items[0].count", "placed", "note", "currency is missing"):
            self.assertIn("task.context." + place, got["message"])

    def test_the_schema_is_reported(self):
        schema = {h["name"]: h for h in self.peer.ready["handlers"]}["typed"]["input_schema"]
        self.assertEqual(schema["required"], ["items", "placed", "currency"])
        self.assertEqual(schema["properties"]["placed"], {"type": "string", "format": "date-time"})


class Files(HostTest):
    limits = {"max_inline_bytes": 1000}

    def test_a_large_result_goes_by_file(self):
        with tempfile.TemporaryDirectory() as scratch:
            got = self.peer.run("big", scratch_dir=scratch)["result_file"]
            with open(os.path.join(scratch, got["path"]), "rb") as file:
                data = file.read()
        self.assertEqual(json.loads(data), "x" * 3000)
        self.assertEqual((got["bytes"], got["sha256"]), (len(data), hashlib.sha256(data).hexdigest()))

    def test_without_a_folder_it_is_too_large(self):
        self.assertEqual(self.peer.run("big")["failure"]["class"], "Tasker::ResultTooLarge")

    def test_params_come_by_file(self):
        with tempfile.TemporaryDirectory() as scratch:
            params = {"step": {"id": "1"}, "task": {"id": "2"}, "handler": {"name": "process_state"}}
            data = json.dumps(params).encode()
            with open(os.path.join(scratch, "in.json"), "wb") as file:
                file.write(data)
            described = {"path": "in.json", "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            self.assertEqual(self.by_file(scratch, described)["result"]["outcome"], "success")
            for wrong in ({"path": "../in.json"}, {"sha256": "0"}, {"bytes": 1}, {"path": "absent"}):
                answer = self.by_file(scratch, {**described, **wrong})
                self.assertEqual(answer["error"]["code"], -32602, wrong)

    def test_params_that_cannot_be_read_now_are_no_fault_of_the_request(self):
        with tempfile.TemporaryDirectory() as scratch:
            with open(os.path.join(scratch, "in.json"), "wb") as file:
                file.write(b"{}")
            described = {"path": "in.json", "bytes": 2, "sha256": hashlib.sha256(b"{}").hexdigest()}
            self.peer.run("use_up_descriptors")
            self.assertEqual(self.by_file(scratch, described)["error"]["code"], -32603)

    def by_file(self, scratch, described):
        params = {"execution_id": "f", "scratch_dir": scratch, "params_file": described}
        return self.peer.answer(self.peer.request("step.execute", params))


if __name__ == "__main__":
    unittest.main()
