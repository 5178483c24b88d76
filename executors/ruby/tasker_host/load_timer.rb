# frozen_string_literal: true

require_relative "load_clock"

module TaskerHost
  # Bounds the time that each file takes to load. A file may take half of the time that remains.
  class LoadTimer
    SHARE = 0.5
    # How long an interrupted file may take to end, as a part of its time.
    GRACE = 0.5

    # Raised in a file that takes too long. It is no StandardError, so that `rescue` in the file does not catch it.
    class Timeout < Exception # rubocop:disable Lint/InheritException
    end

    # left is the time for all files, in seconds. The block gets the name, the error and the backtrace of a file that
    # does not end after the interrupt: this process cannot continue.
    def initialize(left, &stuck)
      @ends = now + left
      @stuck = stuck
    end

    # Runs the block, which loads the file of that name.
    def load(name)
      seconds = [@ends - now, 0].max * SHARE
      @lock = Mutex.new
      @done = @interrupted = false
      watch = start(name, seconds, Thread.current)
      Thread.handle_interrupt(Timeout => :never) do
        Thread.handle_interrupt(Timeout => :immediate) { yield }
      ensure
        @lock.synchronize { @done = true }
        watch.kill
        absorb if @interrupted
      end
    end

    private

    def start(name, seconds, loader)
      Thread.new do
        LoadClock.new(seconds).wait
        error = Timeout.new(format("loading the file took more than %.1f s", seconds))
        @lock.synchronize do
          next if @done

          @interrupted = true
          loader.raise(error)
        end
        sleep seconds * GRACE
        @stuck.call(name, error, loader.backtrace) unless @done
      end
    end

    # Catches a raise that came too late for the file. Otherwise it would interrupt the thread's next work.
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
