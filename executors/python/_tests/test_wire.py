"""What the host writes to the worker."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from tasker_host.wire import Writer  # noqa: E402


class LockThatAnotherTakesFirst:
    """A lock that another thread acquires first, to send a message."""

    def __init__(self, writer):
        self._writer = writer
        self._lock = writer._lock

    def __enter__(self):
        self._writer._lock = self._lock
        self._writer._holder = None
        self._writer.write(b'"of another thread"')
        return self._lock.__enter__()

    def __exit__(self, *error):
        return self._lock.__exit__(*error)


class Writes(unittest.TestCase):
    def test_a_flush_writes_no_line_when_another_thread_has_just_written_what_was_held(self):
        reads, writes = os.pipe()
        writer = Writer(writes)
        writer.hold()
        writer.write(b'"held"')
        writer._lock = LockThatAnotherTakesFirst(writer)
        writer.flush()
        os.close(writes)
        with os.fdopen(reads, "rb") as lines:
            self.assertEqual(lines.read(), b'"held"\n"of another thread"\n')


if __name__ == "__main__":
    unittest.main()
