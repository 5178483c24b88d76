# frozen_string_literal: true

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

    # The first line, which each_line still yields, or nil when there will be none.
    def first_line
      chunk = String.new(capacity: CHUNK_BYTES)
      while (@early ||= []).empty?
        return unless read(chunk)

        split(chunk) { |line| @early << line }
      end
      @early.first
    end

    # Yields every complete line until the writer closes the pipe; half a line at the end is dropped.
    def each_line(&block)
      chunk = String.new(capacity: CHUNK_BYTES)
      @early&.each(&block)
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
end
