# frozen_string_literal: true

module TaskerHost
  # The leader/follower pattern for the thread that reads from the worker. One thread, the leader, reads. It runs a step
  # itself if the step's handler is known to be fast. That saves two switches of threads, which are most of the cost of
  # such a step. If the step takes longer than LEAD_SECONDS, the follower becomes the leader and goes on reading.
  class ReaderRotation
    # How long a step may keep the leader from reading.
    LEAD_SECONDS = 0.005
    # After so many checks without a step, the follower sleeps until the leader starts one.
    IDLE_CHECKS_MAX = 20
    # One thread's time as the leader. `began` is when it stopped reading to run a step; `yielded`, that the step waits.
    Leader = Struct.new(:thread, :began, :yielded)

    # The block reads until the leader is replaced, or the pipe is closed.
    def initialize(&read)
      @read = read
      @lock = Mutex.new
      @wake_up = ConditionVariable.new
      @follower_sleeps = false
    end

    def begin
      Thread.new { lead }
    end

    def leader?(leader)
      leader.equal?(@leader)
    end

    # Runs the block on the leader's thread.
    def run
      leader = @leader
      leader.yielded = false
      leader.began = now
      wake_follower if @follower_sleeps
      yield
    ensure
      @lock.synchronize { leader.began = nil }
    end

    # Makes the follower read. Called by a thread that is about to wait for a message that has not been read yet.
    def yield_lead
      leader = @leader
      return unless leader && leader.thread.equal?(Thread.current)

      leader.yielded = true
      wake_follower
    end

    private

    def lead
      leader = @leader = Leader.new(Thread.current)
      Thread.new { follow }
      @read.call(leader)
    ensure
      abandon(leader)
    end

    # A handler can end the leader's thread (Thread.exit); the follower takes over.
    def abandon(leader)
      return unless leader?(leader)

      leader.yielded = true
      leader.began = now
      wake_follower
    end

    def follow
      @lock.synchronize do
        idle_checks = 0
        until overdue?
          idle_checks = @leader.began ? 0 : idle_checks + 1
          @follower_sleeps = idle_checks > IDLE_CHECKS_MAX
          # A step that began just now has not seen that the follower sleeps.
          @wake_up.wait(@lock, @follower_sleeps && !@leader.began ? nil : LEAD_SECONDS)
          @follower_sleeps = false
        end
        @leader = nil
      end
      lead
    end

    # Whether the leader's step waits or has run for too long.
    def overdue?
      @leader.began && (@leader.yielded || now - @leader.began >= LEAD_SECONDS)
    end

    def wake_follower
      @lock.synchronize { @wake_up.signal }
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
end
