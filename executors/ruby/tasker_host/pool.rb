# frozen_string_literal: true

require_relative "rpc_error"
require_relative "process_state"
require_relative "text"

module TaskerHost
  # A fixed number of threads that run executions, one each. There is no queue to speak of: the worker never sends more
  # than there are threads, and what exceeds them is refused.
  class Pool
    attr_reader :size

    def initialize(size, writer, rotation)
      @size = size
      @writer = writer
      @rotation = rotation
      @queue = Thread::Queue.new
      @lock = Mutex.new
      @running = {}
      @unanswered = 0
      size.times { start_thread }
    end

    # Starts the execution; raises RpcError when its id is running already, no thread is free, or one of them wants to be
    # alone.
    def start(execution)
      @lock.synchronize do
        id = execution.execution_id
        raise RpcError.new(RpcError::DUPLICATE, "execution #{id} is running") if @running.key?(id)

        check_capacity(execution)
        @running[id] = execution
        @unanswered += 1
      end
      execution.fast? ? @rotation.run { run(execution) } : @queue << execution
    end

    # Cancels a running execution; one that is unknown or has ended is left alone.
    def cancel(id, reason, grace_ms)
      execution = @lock.synchronize { @running[id] }
      execution&.cancellation&.cancel(reason, grace_ms)
    end

    def in_flight
      @lock.synchronize { @running.size }
    end

    # Seconds since the oldest running execution started, or nil.
    def oldest_age
      started = @lock.synchronize { @running.each_value.map(&:started).min }
      started && (Process.clock_gettime(Process::CLOCK_MONOTONIC) - started)
    end

    # Calls the block as soon as nothing runs and every answer has been written.
    def when_idle(&block)
      @lock.synchronize { @when_idle = block }
      idle&.call
    end

    private

    def check_capacity(execution)
      raise RpcError.new(RpcError::OVERLOADED, "all #{@size} threads are busy") if @running.size >= @size
      return if @running.empty?

      alone = execution.exclusive? ? execution : @running.each_value.find(&:exclusive?)
      raise RpcError.new(RpcError::OVERLOADED, "execution #{alone.execution_id} runs alone") if alone
    end

    # A handler can end its thread (Thread.exit); the next one takes over.
    def start_thread
      Thread.new do
        work
      ensure
        start_thread
      end
    end

    def work
      while (execution = @queue.pop)
        run(execution)
      end
    end

    # Forgotten before answered: the worker may send the next one as soon as it reads the answer.
    def run(execution)
      line = execution.perform
    ensure
      left = forget(execution)
      @writer.write(line || execution.abandoned)
      recycle(left) unless left.empty?
      @lock.synchronize { @unanswered -= 1 }
      idle&.call
    end

    # The next step finds the process as this one found it. Beside others nothing can be put back, but told.
    def forget(execution)
      @lock.synchronize do
        @running.delete(execution.execution_id)
        @running.empty? ? ProcessState.restore : ProcessState.lingering
      end
    rescue StandardError => e # there is always an answer
      ["what all steps share, which could not be put back: #{Text.clip(e.message, 200)}"]
    end

    def recycle(left)
      @writer.notify("executor.status", { state: "recycle_me", reason: "a handler changed #{left.uniq.join(", ")}" })
    end

    def idle
      @lock.synchronize { @when_idle if @unanswered.zero? }
    end
  end
end
