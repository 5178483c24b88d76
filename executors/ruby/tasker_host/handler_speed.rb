# frozen_string_literal: true

module TaskerHost
  # Whether a handler is fast, judged by how long its earlier runs took.
  class HandlerSpeed
    FAST_SECONDS = 0.002
    # The fast runs after which a handler is fast, the most that are counted, what one slow run subtracts, and the
    # lowest score.
    FAST_RUNS_MIN = 3
    SCORE_MAX = 8
    SLOW_RUN_COST = 8
    SCORE_MIN = -50

    def initialize
      @score = 0
    end

    def fast?
      @score >= FAST_RUNS_MIN
    end

    # Records how long a run took.
    def record(seconds)
      @score = seconds < FAST_SECONDS ? [@score + 1, SCORE_MAX].min : [@score - SLOW_RUN_COST, SCORE_MIN].max
    end
  end
end
