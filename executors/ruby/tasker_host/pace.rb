# frozen_string_literal: true

module TaskerHost
  # Whether a handler is quick, by how long it took before.
  class Pace
    QUICK_SECONDS = 0.002
    # How often it has to be quick before it counts as such, and what one slow run undoes.
    RUNS = 3
    RUNS_KEPT = 8
    SLOW_RUN = 8
    FORGIVEN_AFTER = 50

    def initialize
      @score = 0
    end

    def quick?
      @score >= RUNS
    end

    def took(seconds)
      @score = seconds < QUICK_SECONDS ? [@score + 1, RUNS_KEPT].min : [@score - SLOW_RUN, -FORGIVEN_AFTER].max
    end
  end
end
