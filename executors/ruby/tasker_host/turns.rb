# frozen_string_literal: true

module TaskerHost
  # Whose turn it is to read. One thread reads at a time. A step whose handler is known to be quick runs on the thread that
  # has read it, which saves two switches of threads, most of what such a step costs. When it is not quick after all, the
  # thread that stands by reads on.
  class Turns
    # How long a step may keep its thread from reading.
    PATIENCE_SECONDS = 0.005
    # So many looks without a step, and the thread that stands by sleeps until there is one.
    QUIET_LOOKS = 20
    # One thread's turn. `began` is when it stopped reading, to run a step.
    Turn = Struct.new(:thread, :began, :left)

    # The block reads, until its turn is over or there is nothing more to read.
    def initialize(&read)
      @read = read
      @lock = Mutex.new
      @bell = ConditionVariable.new
      @asleep = false
    end

    def begin
      Thread.new { take }
    end

    def over?(turn)
      !turn.equal?(@turn)
    end

    # Runs the block on the thread whose turn it is.
    def run
      turn = @turn
      turn.left = false
      turn.began = now
      ring if @asleep
      yield
    ensure
      @lock.synchronize { turn.began = nil }
    end

    # Lets another thread read. Called by code that is about to wait for something that has yet to be read.
    def leave
      turn = @turn
      return unless turn && turn.thread.equal?(Thread.current)

      turn.left = true
      ring
    end

    private

    def take
      turn = @turn = Turn.new(Thread.current)
      Thread.new { stand_by }
      @read.call(turn)
    ensure
      abandon(turn)
    end

    # A handler can end its thread (Thread.exit).
    def abandon(turn)
      return if over?(turn)

      turn.left = true
      turn.began = now
      ring
    end

    def stand_by
      @lock.synchronize do
        quiet = 0
        until overdue?
          quiet = @turn.began ? 0 : quiet + 1
          @asleep = quiet > QUIET_LOOKS
          # A step that began just now has not seen that nobody looks.
          @bell.wait(@lock, @asleep && !@turn.began ? nil : PATIENCE_SECONDS)
          @asleep = false
        end
        @turn = nil
      end
      take
    end

    # Whether the step that keeps the reader has run for too long.
    def overdue?
      @turn.began && (@turn.left || now - @turn.began >= PATIENCE_SECONDS)
    end

    def ring
      @lock.synchronize { @bell.signal }
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
end
