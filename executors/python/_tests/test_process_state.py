"""Each step finds the process state of the first step, and only its own output."""

import os
import tempfile
import unittest

import test_host
from peer import Peer


class ProcessState(test_host.HostTest):
    CHANGES = (
        "recursion limit", "gc", "socket timeout", "filters", "errors of warnings", "logging", "loggers", "disabled", "time zone", "locale",
        "decimals", "stdout", "closed streams", "closed descriptors", "led elsewhere", "soft limit",
    )  # fmt: skip

    def found(self):
        running = self.peer.execute("all_surroundings")
        got = self.peer.outcome(running)
        self.assertEqual(got["outcome"], "success", got)
        return got["result"], sorted(log["message"].rpartition(": ")[2].split("\n")[0] for log in self.peer.logs(running))

    def test_every_step_finds_what_the_first_one_found(self):
        self.maxDiff = None
        before = self.found()
        self.assertEqual(before[1], ["careful", "logged"])
        for what in self.CHANGES:
            got = self.peer.run("changes", context={"what": what})
            self.assertEqual(got["outcome"], "success", (what, got))
            after = self.found()
            self.assertEqual({"after": what, **before[0]}, {"after": what, **after[0]})
            self.assertIn("logged", after[1], what)

    def test_the_level_that_the_worker_asks_for_stays(self):
        self.peer.send({"method": "log.set_level", "params": {"level": "warn"}})
        self.peer.run("changes", context={"what": "disabled"})
        self.assertEqual(self.found()[0]["logging"][0], 30)


class Lasting(unittest.TestCase):
    def test_what_cannot_be_put_back_asks_for_a_new_process(self):
        for what, reason in (("led elsewhere", "standard input"), ("hard limit", "RLIMIT_NOFILE"), ("session", "session")):
            peer = Peer()
            try:
                peer.run("changes", context={"what": what})
                self.assertIn(reason, peer.next("executor.status")["params"]["reason"])
            finally:
                peer.close()


class LeftBehind(test_host.HostTest):
    def test_what_a_step_has_left_behind_says_is_not_the_next_steps(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "pipe")
            os.mkfifo(path)
            first = self.peer.execute("leaves_a_thread", context={"path": path})
            self.peer.outcome(first)
            self.peer.run("awaits_a_thread", context={"path": path})
        self.assertEqual([log["message"] for log in self.peer.logs(first)], ["printed late", "and without an end", "logged late"])

    def test_the_processor_time_of_another_thread_is_not_told(self):
        self.assertNotIn("metadata", self.peer.run("returns_computing_coroutine"))


if __name__ == "__main__":
    unittest.main()
