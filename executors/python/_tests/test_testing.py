import asyncio
import dataclasses
import logging
import os
import subprocess
import sys
import unittest

SDK = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tasker_host", "sdk")
sys.path.insert(0, SDK)

import tasker  # noqa: E402
from tasker import testing  # noqa: E402


class Charge:
    def __init__(self, config):
        self.config = config

    def process(self, task, sequence, step):
        step.publish_event("charged", {"by": step.secret("key")})
        step.save_checkpoint({"done": step.attempt})
        step.heartbeat(0.5)
        step.heartbeat(0.6, "soon")
        step.spawn([{"name": "ship"}])
        logging.getLogger("shop").warning("beaten", extra={"at": 1})
        return {
            "total": sequence.find_step_by_name("cart").results["total"],
            "currency": self.config["currency"],
            "customer": task.context["customer"],
            "same": tasker.current_step() is step,
            "task": step.create_task("shop", "ship", "1.0.0", {}),
            "lease": step.lease()["current"],
        }


@dataclasses.dataclass
class Order:
    total: int


def typed(order: Order, step):
    return order.total


async def waits(task, sequence, step):
    await asyncio.sleep(600)


def raises(task, sequence, step):
    raise ValueError(step.config["message"])


def spins(task, sequence, step):
    while True:
        step.check()


class Run(unittest.TestCase):
    def test_a_handler_gets_its_arguments_and_the_outcome_tells_what_it_did(self):
        got = testing.run(
            Charge, attempt=2, config={"currency": "EUR"}, context={"customer": 7}, results={"cart": {"total": 12}}, secrets={"key": "k"}
        )
        self.assertEqual(got.kind, "success", got.failure)
        self.assertEqual((got.result["total"], got.result["currency"], got.result["customer"]), (12, "EUR", 7))
        self.assertEqual((got.result["same"], got.result["lease"]), (True, True))
        self.assertEqual(got.result["task"], {"task_id": "1", "created": True})
        self.assertEqual(got.events, [{"name": "charged", "payload": {"by": "k"}, "delivery": "with_result"}])
        self.assertEqual(got.checkpoints, [{"done": 2}])
        self.assertEqual(got.heartbeats, [{"progress": 0.5}, {"progress": 0.6, "message": "soon"}])
        self.assertEqual(got.logs, [{"level": "warn", "message": "beaten", "logger": "shop", "attrs": {"at": 1}}])
        self.assertEqual(got.spawned, [{"name": "ship"}])
        self.assertEqual(got.tasks, [{"namespace": "shop", "name": "ship", "version": "1.0.0", "context": {}}])

    def test_async_handlers_run_on_a_loop(self):
        async def ask(task, sequence, step):
            with self.assertRaisesRegex(RuntimeError, "await step.alease"):
                step.lease()
            logging.info("asked")
            return await step.asecret("key")

        got = testing.run(ask, secrets={"key": "k"})
        self.assertEqual((got.result, [record["message"] for record in got.logs]), ("k", ["asked"]), got.failure)

    def test_what_the_step_is_given(self):
        def given(task, sequence, step):
            return [step.name, step.inputs, step.results, step.checkpoint, step.retry_limit, task.tags, task.namespace, bool(step.deadline)]

        got = testing.run(
            given, step="charge", inputs={"a": 1}, previous_results=[1], checkpoint=2, retry_limit=9, task={"tags": ["x"], "namespace": "n"}
        )
        self.assertEqual(got.result, ["charge", {"a": 1}, [1], 2, 9, ["x"], "n", True])
        self.assertEqual(testing.run(typed, context=Order(3)).result, 3)

    def test_failures_and_deferrals_are_outcomes(self):
        def raises(error):
            def handler(task, sequence, step):
                raise error

            return testing.run(handler)

        busy = raises(tasker.RetryableError("busy", retry_after=30))
        self.assertEqual((busy.kind, busy.retryable, busy.permanent), ("failure", True, False))
        self.assertEqual((busy.failure.error_class, busy.failure.message), ("tasker.RetryableError", "busy"))
        self.assertEqual(busy.failure.retry_after, 30)
        declined = raises(tasker.PermanentError("no", error_code="NO", context={"a": 1}))
        self.assertEqual((declined.permanent, declined.failure.code, declined.failure.details), (True, "NO", {"a": 1}))
        self.assertIn("test_testing.py", declined.failure.backtrace[0])
        self.assertEqual(raises(SystemExit(3)).failure.error_class, "SystemExit")
        later = raises(tasker.Deferred(60, {"page": 1}))
        self.assertEqual((later.kind, later.resume_after, later.checkpoint), ("deferred", 60, {"page": 1}))
        self.assertEqual(testing.run(typed, context={}).failure.error_class, "Tasker::InvalidInput")
        self.assertEqual(testing.run(lambda task, sequence, step: object()).failure.error_class, "Tasker::InvalidResult")

    def test_cancels(self):
        for handler in (spins, waits):
            for when in ({"cancel": "timeout"}, {"cancel_after": 0.001}):
                self.assertEqual(testing.run(handler, **when).kind, "cancelled", (handler, when))
        finished = testing.run(lambda task, sequence, step: [step.cancelled, step.cancel_reason], cancel="shutdown")
        self.assertEqual(finished.result, [True, "shutdown"])

    def test_a_lost_lease_refuses_every_effect(self):
        got = testing.run(lambda task, sequence, step: step.publish_event("paid"), lease=False)
        self.assertEqual((got.failure.error_class, got.events), ("tasker.LeaseLost", []))

    def test_a_secret_is_refused_unless_it_is_given_and_never_logged(self):
        def handler(task, sequence, step):
            logging.info("got %s", step.secret("key"), extra={"key": "x" + step.secret("key")})
            raise ValueError("wrong: " + step.secret("key"))

        refused = testing.run(handler)
        self.assertEqual((refused.permanent, refused.failure.error_class), (True, "tasker.NotPermitted"))
        got = testing.run(handler, secrets={"key": "hunter2"})
        self.assertNotIn("hunter2", repr(got))
        self.assertEqual((got.logs[0]["message"], got.failure.message), ("got [REDACTED]", "wrong: [REDACTED]"))

    def test_a_secret_of_one_run_is_none_of_the_next(self):
        testing.run(lambda task, sequence, step: step.secret("key"), secrets={"key": "busy"})
        self.assertEqual(testing.run(raises, config={"message": "busy"}).failure.message, "busy")

    def test_the_workers_answers_can_be_overridden(self):
        def busy(params):
            raise tasker.CallFailed("down for the day", 7)

        def publish(task, sequence, step):
            return step.publish_event("paid", {"n": 1})

        self.assertEqual(testing.run(publish, calls={"step.publish_event": lambda params: params["payload"]}).result, {"n": 1})
        failed = testing.run(publish, calls={"step.publish_event": busy}).failure
        self.assertEqual((failed.error_class, failed.message), ("tasker.CallFailed", "step.publish_event: down for the day"))

    def test_leaves_logging_and_the_current_step_as_they_were(self):
        before = logging.getLogger().level, list(logging.getLogger().handlers)
        testing.run(Charge)
        self.assertEqual((logging.getLogger().level, list(logging.getLogger().handlers)), before)
        self.assertIsNone(tasker.current_step())

    def test_ctrl_c_ends_the_tests(self):
        def handler(task, sequence, step):
            raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            testing.run(handler)

    def test_a_fault_in_the_test_is_raised(self):
        with self.assertRaises(TypeError):
            testing.run(spins, contxt={})
        with self.assertRaisesRegex(Exception, "context.a is a"):
            testing.run(spins, context={"a": object()})

    def test_pythonpath_leads_tests_to_the_sdk(self):
        program = "from tasker import testing; print(testing.run(lambda task, sequence, step: 7).result)"
        environ = {**os.environ, "PYTHONPATH": SDK, "PYTHONDONTWRITEBYTECODE": "1"}
        self.assertEqual(subprocess.check_output([sys.executable, "-c", program], env=environ, cwd="/"), b"7\n")


if __name__ == "__main__":
    unittest.main()
