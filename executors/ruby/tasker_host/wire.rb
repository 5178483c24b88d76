# frozen_string_literal: true

require "json"

module TaskerHost
  # Writes one message per line. A line is written whole before the next one, whichever thread sends it. One thread may
  # hold its messages back for up to 0.5 ms, to write several at once.
  class Writer
    # How long a message is held back at most, and the size below which it is. If the process crashes in that time, the
    # responses that are held back are lost, and their steps run again like the steps that were running.
    HOLD_SECONDS = 0.0005
    HOLD_BYTES = 4096

    def initialize(io)
      @io = io
      @lock = Mutex.new
      @held = String.new(capacity: 2 * HOLD_BYTES)
    end

    # Drops later messages, and those that are held back. Takes no lock: the thread that holds it may have ended, or
    # wait for the worker.
    def stop
      @stopped = true
    end

    # Closes the pipe, in a forked child.
    def close_in_child
      stop
      @io.close
    end

    # Holds back the messages of this thread until flush, a message of another thread, or the end of HOLD_SECONDS.
    def hold
      @holder = Thread.current
    end

    # Writes the messages that are held back, and ends the hold.
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

    # Writes the messages that are held back. If the worker has closed the pipe, this process ends.
    def write_held
      @io.write(@held)
      @held.clear
    rescue SystemCallError, IOError
      exit!(0)
    end
  end
end
