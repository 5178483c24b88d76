# frozen_string_literal: true

require "json"

module TaskerHost
  # Writes one message per line. A line is written whole before the next one, whichever thread sends it. One thread may hold
  # its messages back for a moment, to write several at once.
  class Writer
    # How long a message is held back at most, and how small it must be. A crash in that time costs what is held: the steps that
    # were answered run again, like those that ran beside the crash.
    HOLD_SECONDS = 0.0005
    HOLD_BYTES = 4096

    def initialize(io)
      @io = io
      @lock = Mutex.new
      @held = String.new(capacity: 2 * HOLD_BYTES)
    end

    # Nothing is written any more, nor what is held back. It takes no lock: whoever holds it may be gone, or wait for the worker.
    def stop
      @stopped = true
    end

    # The same in a fork, which shares the pipe.
    def release
      stop
      @io.close
    end

    # What the calling thread writes from now on waits for flush, or for a message of another thread, or for a moment.
    def hold
      @holder = Thread.current
    end

    # Writes what is held back. Nobody holds anything any more.
    def flush
      @holder = nil
      @lock.synchronize { write_held } unless @held.empty? || @stopped
    end

    def result(id, result)
      write(%({"jsonrpc":"2.0","id":#{JSON.generate(id)},"result":#{JSON.generate(result)}}))
    end

    def error(id, error)
      write(JSON.generate({ jsonrpc: "2.0", id: id, error: error.to_h }))
    end

    def request(id, method, params)
      write(JSON.generate({ jsonrpc: "2.0", id: id, method: method, params: params }))
    end

    def notify(method, params)
      write(JSON.generate({ jsonrpc: "2.0", method: method, params: params }))
    end

    # Sends a message that is JSON already.
    def write(json)
      @lock.synchronize do
        return if @stopped

        due = due?(json)
        @held << json << "\n"
        write_held if due
      end
    end

    private

    def due?(json)
      return true unless @holder.equal?(Thread.current) && json.bytesize < HOLD_BYTES

      now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      @due_at = now + HOLD_SECONDS if @held.empty?
      now >= @due_at
    end

    # When nobody reads any more the worker is dead, and so is this process.
    def write_held
      @io.write(@held)
      @held.clear
    rescue SystemCallError, IOError
      exit!(0)
    end
  end
end
