"""Whether a handler is fast, judged by how long its earlier runs took."""

FAST_SECONDS = 0.002
# The fast runs after which a handler is fast, the most that are counted, what one slow run subtracts, and the lowest
# score.
FAST_RUNS_MIN = 3
SCORE_MAX = 8
SLOW_RUN_COST = 8
SCORE_MIN = -50


class HandlerSpeed:
    __slots__ = ("_score", "is_fast")

    def __init__(self):
        self.is_fast = False
        self._score = 0

    def record(self, seconds):
        """Records how long a run took."""
        if seconds < FAST_SECONDS:
            self._score = min(self._score + 1, SCORE_MAX)
        else:
            self._score = max(self._score - SLOW_RUN_COST, SCORE_MIN)
        self.is_fast = self._score >= FAST_RUNS_MIN
