# frozen_string_literal: true

require "json"

module TaskerHost
  # Reads one message per line from a pipe, in large chunks and with a bound on the length of a line.
  class LineReader
    CHUNK_BYTES = 64 * 1024
    # What #each_line yields in place of a line that was longer than the limit.
    OVERSIZE = :oversize

    # The longest line accepted, in bytes without its newline.
    attr_accessor :max_bytes

    def initialize(io, max_bytes)
      @io = io
      @max_bytes = max_bytes
      @line = +"".b
      @oversize = false
    end

    # Yields every complete line until the writer closes the pipe; half a line at the end is dropped.
    def each_line(&block)
      chunk = String.new(capacity: CHUNK_BYTES)
      split(chunk, &block) while read(chunk)
    end

    private

    def read(chunk)
      @io.readpartial(CHUNK_BYTES, chunk)
    rescue EOFError, SystemCallError
      nil
    end

    def split(chunk)
      from = 0
      while (newline = chunk.index("\n", from))
        append(chunk.byteslice(from, newline - from))
        yield take_line
        from = newline + 1
      end
      append(chunk.byteslice(from, chunk.bytesize - from))
    end

    def append(bytes)
      @oversize ||= @line.bytesize + bytes.bytesize > @max_bytes
      @oversize ? @line.clear : @line << bytes
    end

    def take_line
      line = @oversize ? OVERSIZE : @line
      @line = +"".b
      @oversize = false
      line
    end
  end

  # Writes one message per line. A line is written whole before the next one, whichever thread sends it.
  class Writer
    def initialize(io)
      @io = io
      @lock = Mutex.new
    end

    def result(id, result)
      write(%({"jsonrpc":"2.0","id":#{JSON.generate(id)},"result":#{JSON.generate(result)}}))
    end

    def error(id, code, message, data = nil)
      error = { code: code, message: message }
      error[:data] = data if data
      write(JSON.generate({ jsonrpc: "2.0", id: id, error: error }))
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
