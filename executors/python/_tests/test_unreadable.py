"""A request that the host cannot read is answered at once, and its slot comes back."""

import hashlib
import json
import os
import tempfile
import unittest

import test_host

DEEP = 100_000


class Unreadable(test_host.HostTest):
    limits = {"max_concurrency": 1, "max_message_bytes": 1 << 20}
    CASES = (
        ('{"v": %s}' % ("9" * 5000), "task.context.v is the number 99999999999999999999... (5000 characters)"),
        ('{"a": {"b": [1, -1e400]}}', "task.context.a.b[1] is the number -1e400"),
        ('{"v": 1e5000}', "task.context.v is the number 1e5000"),
        ('{"v": 1e-400}', "task.context.v is the number 1e-400"),
        ("[" * DEEP + "]" * DEEP, "nested too deeply"),
    )

    def test_a_step_fails_for_good_and_names_the_value(self):
        for context, said in self.CASES:
            failure = self.peer.outcome(self.peer.execute_text("process_state", context))["failure"]
            self.assertEqual((failure["kind"], failure["class"]), ("permanent", "Tasker::InvalidArguments"), said)
            self.assertIn(said, failure["message"])
        self.assertEqual(self.peer.run("process_state")["outcome"], "success")

    def test_what_can_be_read_is(self):
        numbers = ["9" * 308, "1e308", "0e-400", "0.0", "-0.0e999", "1.5"]
        got = self.peer.outcome(self.peer.execute_text("context", "[" + ",".join(numbers) + "]"))
        self.assertEqual(got["result"], json.loads("[" + ",".join(numbers) + "]"))

    def test_the_same_in_a_file(self):
        for context, said in self.CASES:
            with tempfile.TemporaryDirectory() as scratch:
                text = '{"step":{},"task":{"context":%s},"handler":{"name":"process_state"}}' % context
                with open(os.path.join(scratch, "in.json"), "w") as file:
                    file.write(text)
                described = {"path": "in.json", "bytes": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest()}
                params = {"execution_id": "f", "scratch_dir": scratch, "params_file": described}
                failure = self.peer.outcome(self.peer.request("step.execute", params))["failure"]
            self.assertEqual((failure["kind"], failure["class"]), ("permanent", "Tasker::InvalidArguments"), said)
            self.assertIn(said, failure["message"])

    def test_a_step_that_is_no_json_or_too_long_is_refused_by_its_id(self):
        self.peer.send_text('{"jsonrpc":"2.0","params":{"id":"x","method":"y"},"id":"cut","method":"step.execute","params":{')
        self.assertEqual(self.peer.answer("cut")["error"]["code"], -32700)
        long = self.peer.execute_text("process_state", '"%s"' % ("x" * (1 << 20)))
        self.assertEqual(self.peer.answer(long)["error"]["code"], -32007)
        self.assertEqual(self.peer.run("process_state")["outcome"], "success")

    def test_other_requests_are_refused_by_theirs_if_they_have_one(self):
        for request_id, text in (("p", '{"jsonrpc":"2.0","id":"p","method":"ping","params":{"v":1e400}}'), (None, '{"v":1e400}')):
            self.peer.send_text(text)
            self.assertEqual(self.peer.answer(request_id)["error"]["code"], -32700)

    def test_a_call_whose_answer_cannot_be_read_fails(self):
        running = self.peer.execute("call", config={"method": "lease"})
        asked = self.peer.next("step.lease")["id"]
        self.peer.send_text('{"jsonrpc":"2.0","id":"%s","result":{"remaining_ms":1e999}}' % asked)
        failure = self.peer.outcome(running)["failure"]
        self.assertEqual(failure["class"], "tasker.CallFailed")
        self.assertIn("remaining_ms", failure["message"])


class Computing(test_host.HostTest):
    """The host of `cpu` handlers writes their arguments a second time."""

    def test_arguments_that_cannot_be_written_again_fail_the_step(self):
        context = "[" * 900 + "]" * 900  # which Python reads, though maybe only just
        got = self.peer.outcome(self.peer.execute_text("cpu", context))
        self.assertEqual(got["outcome"], "failure")
        self.assertEqual(self.peer.outcome(self.peer.execute("cpu", config={"do": "fail"}))["failure"]["class"], "tasker.RetryableError")


if __name__ == "__main__":
    unittest.main()
