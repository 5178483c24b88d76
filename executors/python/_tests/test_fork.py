"""Of a host and what a handler has forked, only the host answers."""

import os
import signal
import tempfile
import threading
import unittest

import test_host


class Forks(test_host.HostTest):
    CASES = (
        ("returns", 0), ("says", 0), ("asks", 0), ("fails", 1), ("exits", 7), ("forks", 5), ("threads", 0),
        ("is cancelled", 1), ("saves", 0), ("terminates", -signal.SIGTERM),
    )  # fmt: skip

    def test_the_parent_answers_whatever_the_child_does(self):
        for handler in ("fork", "fork_async", "fork_cpu"):
            for child, status in self.CASES:
                running = self.peer.execute(handler, context={"child": child})
                self.assertEqual(self.peer.outcome(running).get("result"), status, (handler, child))
        self.assert_only_answers()

    def test_a_child_of_the_thread_that_reads_does_not_read_on(self):
        while self.peer.run("fork_quick")["result"] != "tasker-reader":
            pass
        for child, status in self.CASES[:3]:
            self.assertEqual(self.peer.run("fork_quick", context={"child": child}).get("result"), status, child)
        self.assert_only_answers()

    def assert_only_answers(self):
        """Nothing of the children has come, nor does it until the host ends: one of them would hold the pipe open."""
        self.peer.end_input()
        self.peer.process.wait()
        self.assertEqual([message for message in self.peer.rest() if "fork" not in message["params"].get("logger", "")], [])
        self.peer._out = os.open(os.devnull, os.O_WRONLY)

    def test_what_children_say_goes_to_the_output_of_the_process(self):
        running = self.peer.execute("fork", context={"child": "says"})
        self.peer.outcome(running)
        self.peer.outcome(self.peer.execute("fork", context={"child": "asks"}))
        self.peer.outcome(self.peer.execute("fork", context={"child": "fails"}))
        self.assertEqual(self.peer.logs(running), [])
        out, err = self.peer.close()
        self.peer._out = os.open(os.devnull, os.O_WRONLY)
        self.assertEqual(out.count(b"printed by the child\nno newline"), 1)
        self.assertIn(b"logged by the child", err)
        self.assertIn(b"ValueError: the child failed", err)
        self.assertIn(b"step.publish_event was called in a process that the handler has forked", out)
        self.assertEqual(err.count(b"before the fork"), 3)

    def test_a_child_that_awaits_runs_nothing_of_its_neighbours(self):
        with tempfile.TemporaryDirectory() as folder:
            go = os.path.join(folder, "go")
            neighbour = self.peer.execute("fork_neighbour", context={"go": go})
            self.peer.next("step.heartbeat")
            for _ in range(5):
                self.assertEqual(self.peer.run("fork_async", context={"child": "awaits"})["result"], 1)
            os.mkdir(go)
            ran_in = self.peer.outcome(neighbour)["result"]
            self.assertEqual(os.listdir(go), [str(ran_in)])

    def test_a_child_that_is_terminated_does_not_end_the_host(self):
        self.assertEqual(self.peer.run("fork_and_terminate")["result"], -signal.SIGTERM)
        self.assertEqual(self.peer.run("process_state")["outcome"], "success")

    def test_a_lock_that_a_neighbour_held_is_not_held_in_the_child(self):
        talking = [self.peer.execute("talks") for _ in range(2)]
        drain = threading.Thread(target=self.peer.process.stderr.read, daemon=True)
        drain.start()
        for child in ("says", "threads", "fails") * 5:
            self.peer.outcome(self.peer.execute("fork", context={"child": child}))
        for step in talking:
            self.peer.cancel(step)
            self.peer.outcome(step)
        self.peer.end_input()
        self.peer.process.wait()
        self.peer._out = os.open(os.devnull, os.O_WRONLY)
        drain.join()

    def test_a_program_that_is_started_by_a_fork_has_no_signal_of_the_hosts(self):
        self.assertEqual(self.peer.run("fork_and_exec")["result"], "True set()\n")

    def test_multiprocessing_works_in_all_its_ways(self):
        for how in ("fork", "spawn", "forkserver"):
            got = self.peer.run("fork_and_compute", context={"how": how})
            self.assertEqual(got.get("result"), [0, 1, 4, 9], how)


class ForksWithFiles(test_host.HostTest):
    limits = {"max_inline_bytes": 1000}

    def test_a_child_writes_no_result(self):
        with tempfile.TemporaryDirectory() as scratch:
            got = self.peer.run("fork", context={"child": "saves"}, scratch_dir=scratch)
            self.assertEqual((got["result"], os.listdir(scratch)), (0, []))


if __name__ == "__main__":
    unittest.main()
