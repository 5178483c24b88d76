"""Which files are loaded, and what becomes of those that cannot be."""

import os
import tempfile
import unittest

from peer import Peer

HANDLER = "import tasker\n\n\n@tasker.handler\ndef go(task, sequence, step):\n    return __name__\n"
SOON = {"startup_timeout_ms": 4000}


class Folder(unittest.TestCase):
    timing = {}

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.base = os.path.realpath(temporary.name)
        self.root = os.path.join(self.base, "python")
        os.mkdir(self.root)

    def write(self, path, text=HANDLER):
        path = os.path.join(self.base, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)

    def link(self, path, to):
        os.symlink(to, os.path.join(self.base, path))

    def load(self, **config):
        """Starts a host and keeps the names it serves, the files it cannot load by name, and what it logs."""
        self.peer = Peer(root=self.root, timing=self.timing, config=config)
        self.addCleanup(self.peer.close)
        self.names = sorted(handler["name"] for handler in self.peer.ready["handlers"])
        self.errors = {error["file"]: error for error in self.peer.ready["load_errors"]}
        self.logged = "\n".join(m["params"]["message"] for m in self.peer.seen if m.get("method") == "log")


class Links(Folder):
    def test_to_files_are_followed_wherever_they_lead(self):
        self.write("lib/pay.py")
        self.write("python/..data/ship.py")
        os.makedirs(os.path.join(self.root, "shop"))
        self.link("python/pay.py", "../lib/pay.py")
        self.link("python/shop/pay.py", "../../lib/pay.py")
        self.link("python/ship.py", "..data/ship.py")
        self.load()
        self.assertEqual((self.names, self.errors), (["pay.go", "ship.go"], {}))
        self.assertEqual(self.peer.run("pay.go")["result"], "pay")
        self.assertIn("shop/pay.py is not loaded: it is the same file as pay.py", self.logged)

    def test_a_file_that_is_here_goes_by_its_own_name(self):
        self.write("python/pay.py")
        self.link("python/charge.py", "pay.py")
        self.load()
        self.assertEqual((self.names, self.errors), (["pay.go"], {}))
        self.assertIn("charge.py is not loaded: it is the same file as pay.py", self.logged)

    def test_what_is_left_out_is_said(self):
        self.write("lib/pay.py")
        self.write("python/good.py")
        self.link("python/shop", "../lib")
        self.link("python/gone.py", "nowhere")
        self.link("python/_private", "../lib")
        os.mkfifo(os.path.join(self.root, "pipe.py"))
        self.load()
        self.assertEqual((self.names, self.errors), (["good.go"], {}))
        for said in ("shop is not loaded: it is a link to a folder", "gone.py is not loaded: it is a link that leads nowhere",
                     "pipe.py is not loaded: it is no file"):  # fmt: skip
            self.assertIn(said, self.logged)
        self.assertNotIn("_private", self.logged)

    def test_a_folder_that_is_a_link_is_served(self):
        self.write("lib/pay.py")
        os.rmdir(self.root)
        self.link("python", "lib")
        self.load()
        self.assertEqual((self.names, self.errors), (["pay.go"], {}))

    def test_a_name_of_the_standard_library_is_taken_still(self):
        self.write("lib/pay.py")
        self.link("python/json.py", "../lib/pay.py")
        self.load()
        self.assertEqual(self.errors["json.py"]["class"], "Tasker::NameTaken")


class Hangs(Folder):
    timing = SOON

    def test_a_file_that_waits_is_named_with_the_place_and_the_others_serve(self):
        self.write("python/a_waits.py", "import time\n\ntime.sleep(1000)\n" + HANDLER)
        self.write("python/b_waits.py", "import threading\n\n\ndef wait():\n    threading.Event().wait()\n\n\nwait()\n")
        self.write("python/c_spins.py", "while True:\n    pass\n")
        self.write("python/d_imports.py", "import a_waits\n" + HANDLER)
        self.write("python/good.py")
        self.load()
        self.assertEqual(self.names, ["good.go"])
        self.assertEqual(self.peer.run("good.go")["result"], "good")
        for file, line in (("a_waits.py", "  time.sleep(1000)"), ("b_waits.py", "  wait()"), ("c_spins.py", "  pass")):
            error = self.errors[file]
            self.assertEqual(error["class"], "Tasker::LoadTimeout", error)
            self.assertIn(os.path.join(self.root, file), error["backtrace"][0])
            self.assertIn(line, [*error["backtrace"], "  pass" if "while True" in error["backtrace"][1] else ""])
        self.assertIn("d_imports.py", self.errors)
        self.assertTrue(all(error["stuck"] for error in self.errors.values()), self.errors)

    def test_a_file_that_the_worker_leaves_out_costs_no_time(self):
        self.write("python/waits.py", "import time\n\ntime.sleep(1000)\n")
        self.write("python/good.py")
        self.load(skip_files=["waits.py"])
        self.assertEqual((self.names, self.errors), (["good.go"], {}))

    def test_a_file_that_forks_is_loaded_by_one_process(self):
        self.write("python/forks.py", "import os\n\nif os.fork() == 0:\n    print('child')\n" + HANDLER)
        self.write("python/good.py")
        self.load()
        self.assertEqual((self.names, self.errors), (["forks.go", "good.go"], {}))
        out, _ = self.peer.close()
        self.peer._out = os.open(os.devnull, os.O_WRONLY)
        self.assertEqual((out, self.peer.rest()), (b"child\n", []))

    def test_files_that_are_slow_are_served_though_all_of_them_take_longer_than_one_may(self):
        for name in "abcdef":
            self.write(f"python/{name}.py", "import time\n\ntime.sleep(0.45)\n" + HANDLER)
        self.load()
        self.assertEqual((self.names, self.errors), ([f"{name}.go" for name in "abcdef"], {}))

    def test_a_file_that_ends_its_thread_or_throws_in_another_one_fails_no_other_file(self):
        self.write("python/exits.py", "import sys\n\nsys.exit(3)\n")
        self.write("python/late.py", "import threading\n\nthreading.Timer(0, lambda: 1 / 0).start()\n" + HANDLER)
        self.write("python/threads.py", "import _thread\n\n_thread.start_new_thread(_thread.interrupt_main, ())\n" + HANDLER)
        self.load()
        self.assertEqual((self.names, list(self.errors)), (["late.go", "threads.go"], ["exits.py"]))
        self.assertEqual(self.peer.run("late.go")["result"], "late")


class AtOnce(Folder):
    """What handlers import when they run is imported once, however many of them do so at the same time."""

    def test_first_imports(self):
        self.write("python/_one.py", "import time\nWHERE = __name__\nimport _two\ntime.sleep(0.01)\nready = 1\n")
        self.write("python/_two.py", "import _one\nWHERE = _one.WHERE\nready = 2\n")
        lazy = "from _one import ready; import _two; import asyncio, decimal; datetime.datetime.strptime('2026', '%Y')"
        self.write("python/lazy.py", "import datetime\n" + HANDLER.replace("return __name__", lazy + "; return ready + _two.ready"))
        self.load()
        with self.peer.together():
            running = [self.peer.execute("lazy.go") for _ in range(4)]
        self.assertEqual([self.peer.outcome(step).get("result") for step in running], [3] * 4)


if __name__ == "__main__":
    unittest.main()
