# frozen_string_literal: true

module TaskerHost
  # Holds one value that another thread puts in. (Thread::Queue has a timeout only since Ruby 3.2.)
  class Mailbox
    def initialize
      @lock = Mutex.new
      @arrived = ConditionVariable.new
      @full = false
    end

    # Keeps the first value.
    def put(value)
      @lock.synchronize do
        @value = value unless @full
        @full = true
        @arrived.broadcast
      end
    end

    # Waits for the value; nil if none is put within the seconds.
    def take(seconds = nil)
      ends = seconds && (now + seconds)
      @lock.synchronize do
        until @full
          left = ends && (ends - now)
          return nil if left && left <= 0

          @arrived.wait(@lock, left)
        end
        @value
      end
    end

    private

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
end
