# frozen_string_literal: true

require_relative "load_clock"

module TaskerHost
  # Sees to it that a file comes to the end of its loading. Every file may take half of the time that is left.
  class LoadTimer
    SHARE = 0.5
    # How long a file that is told to end may take to do so, as a part of what it had.
    GRACE = 0.5

    # Strikes a file that takes too long. No StandardError, so that a file that rescues those goes on no longer.
    class Timeout < Exception # rubocop:disable Lint/InheritException
    end

    # left is the time for all, in seconds. The block gets the name, the error and the backtrace of a file that does not end even
    # when it is told to: nothing can be done about it in this process.
    def initialize(left, &stuck)
      @ends = now + left
      @stuck = stuck
    end

    # Runs the block, which loads the file of that name.
    def load(name)
      seconds = [@ends - now, 0].max * SHARE
      @lock = Mutex.new
      @done = @struck = false
      watch = start(name, seconds, Thread.current)
      Thread.handle_interrupt(Timeout => :never) do
        Thread.handle_interrupt(Timeout => :immediate) { yield }
      ensure
        @lock.synchronize { @done = true }
        watch.kill
        absorb if @struck
      end
    end

    private

    def start(name, seconds, loader)
      Thread.new do
        LoadClock.new(seconds).wait
        error = Timeout.new(format("loading the file took more than %.1f s", seconds))
        @lock.synchronize do
          next if @done

          @struck = true
          loader.raise(error)
        end
        sleep seconds * GRACE
        @stuck.call(name, error, loader.backtrace) unless @done
      end
    end

    # A raise that came too late for the file must not strike whatever this thread does next.
    def absorb
      Thread.handle_interrupt(Timeout => :immediate) { Thread.pass }
    rescue Timeout
      nil
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
end
