# frozen_string_literal: true

require "json"

module TaskerHost
  # Writes one message per line. A line is written whole before the next one, whichever thread sends it.
  class Writer
    def initialize(io)
      @io = io
      @lock = Mutex.new
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

    # Sends a message that is JSON already. When nobody reads any more the worker is dead, and so is this process.
    def write(json)
      line = "#{json}\n"
      @lock.synchronize { @io.write(line) }
    rescue SystemCallError, IOError
      exit!(0)
    end
  end
end
