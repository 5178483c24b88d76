"""Whether a handler is quick, by how long it took before."""

QUICK_SECONDS = 0.002
# How often it has to be quick before it counts as such, and what one slow run undoes.
RUNS = 3
RUNS_KEPT = 8
SLOW_RUN = 8
FORGIVEN_AFTER = 50


class Pace:
    __slots__ = ("_score", "quick")

    def __init__(self):
        self.quick = False
        self._score = 0

    def took(self, seconds):
        if seconds < QUICK_SECONDS:
            self._score = min(self._score + 1, RUNS_KEPT)
        else:
            self._score = max(self._score - SLOW_RUN, -FORGIVEN_AFTER)
        self.quick = self._score >= RUNS
