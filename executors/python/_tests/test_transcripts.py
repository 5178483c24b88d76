"""Replays the transcripts that every host's tests replay: sends the worker's lines and compares what the host says."""

import glob
import json
import os
import unittest

from peer import HERE, Peer

TESTDATA = os.path.join(os.path.dirname(os.path.dirname(HERE)), "conformance", "testdata")


class Transcripts(unittest.TestCase):
    def test_the_host_says_what_they_say(self):
        files = sorted(glob.glob(os.path.join(TESTDATA, "transcripts", "*.jsonl")))
        self.assertTrue(files)
        for file in files:
            with self.subTest(os.path.basename(file)), open(file) as lines:
                self.replay([json.loads(line) for line in lines])

    def replay(self, entries):
        self.call = None
        peer = Peer(initialize=False)
        try:
            for entry in entries:
                self.step(peer, entry)
        finally:
            peer.process.kill()
            peer.process.communicate()

    def step(self, peer, entry):
        if entry["from"] == "worker" and "end" in entry:
            peer.end_input()
        elif entry["from"] == "worker":
            text = json.dumps(entry["message"]).replace('"<root>"', json.dumps(os.path.join(TESTDATA, "python")))
            peer.send(json.loads(text.replace('"<call>"', json.dumps(self.call))))
        elif "end" in entry:
            self.assertEqual(peer.rest(), [])
            self.assertEqual(peer.process.wait(), 0)
        else:
            self.compare(entry["message"], peer.next_but_logs(), "message")

    def compare(self, want, got, place):
        """Fails unless got is want. Members that want does not name may be there."""
        if want == "<any>":
            return
        if want == "<call>":
            self.call = got
            want = "<text>"
        if want == "<number>":
            self.assertIsInstance(got, (int, float), place)
        elif want == "<text>":
            self.assertTrue(isinstance(got, str) and got, place)
        elif isinstance(want, dict):
            self.compare_members(want, got, place)
        elif isinstance(want, list):
            self.assertIsInstance(got, list, place)
            self.assertEqual(len(got), len(want), place)
            for index, value in enumerate(want):
                self.compare(value, got[index], f"{place}[{index}]")
        else:
            self.assertEqual(got, want, place)

    def compare_members(self, want, got, place):
        self.assertIsInstance(got, dict, place)
        for name, value in want.items():
            if value == "<absent>":
                self.assertNotIn(name, got, place)
            else:
                self.assertIn(name, got, place)
                self.compare(value, got[name], f"{place}.{name}")
