# frozen_string_literal: true

require_relative "process_state"
require_relative "rpc_error"
require_relative "text"

module TaskerHost
  # A fixed number of threads that run executions, one each. The queue only hands executions to threads: the worker
  # sends at most as many as there are threads, and the pool refuses what exceeds them.
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

    # Starts the execution. Raises RpcError if its id is running already, no thread is free, or an exclusive execution
    # would share the process.
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

    # Cancels a running execution. An id that is unknown, or whose execution has ended, is ignored.
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

    # Calls the block as soon as no execution runs and every response has been written.
    def when_idle(&block)
      @lock.synchronize { @when_idle = block }
      idle&.call
    end

    private

    def check_capacity(execution)
      raise RpcError.new(RpcError::OVERLOADED, "all #{@size} threads are busy") if @running.size >= @size
      return if @running.empty?

      exclusive = execution.exclusive? ? execution : @running.each_value.find(&:exclusive?)
      raise RpcError.new(RpcError::OVERLOADED, "execution #{exclusive.execution_id} runs alone") if exclusive
    end

    # A handler can end its thread (Thread.exit). Then a new thread replaces it.
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

    # Removes the execution, then answers: the worker may send the next request as soon as it reads the response.
    def run(execution)
      line = execution.perform
    ensure
      lasting = remove(execution)
      @writer.write(line || execution.abandoned)
      request_recycle(lasting) unless lasting.empty?
      @lock.synchronize { @unanswered -= 1 }
      idle&.call
    end

    # Removes the execution and, if no other runs, restores the process state. Returns the changes that last.
    def remove(execution)
      @lock.synchronize do
        @running.delete(execution.execution_id)
        @running.empty? ? ProcessState.restore : ProcessState.lingering
      end
    rescue StandardError => e # the execution still gets a response
      ["what all steps share, which could not be restored: #{Text.clip(e.message, 200)}"]
    end

    def request_recycle(lasting)
      @writer.notify("executor.status", { state: "recycle_me", reason: "a handler changed #{lasting.uniq.join(", ")}" })
    end

    def idle
      @lock.synchronize { @when_idle if @unanswered.zero? }
    end
  end
end
