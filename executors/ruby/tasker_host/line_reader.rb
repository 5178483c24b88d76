# frozen_string_literal: true

module TaskerHost
  # Reads one message per line from a pipe, in large chunks and with a bound on the length of a line.
  class LineReader
    CHUNK_BYTES = 64 * 1024
    # How much is kept of a line that is too long, to see whose it is.
    HEAD_BYTES = 1024
    # What is read in place of a line that was longer than the limit.
    Oversize = Struct.new(:head)

    # The longest line accepted, in bytes without its newline.
    attr_accessor :max_bytes

    def initialize(io, max_bytes)
      @io = io
      @max_bytes = max_bytes
      @chunk = String.new(capacity: CHUNK_BYTES)
      @line = +"".b
      @oversize = nil
    end

    # Lets go of the pipe, in a fork that shares it.
    def release
      @io.close
    end

    # The first line, which is still read, or nil when there will be none.
    def first_line
      (@early = read_lines)&.first
    end

    # The complete lines that have come, waiting for one; nil when the writer has closed the pipe. Half a line at the end is
    # dropped.
    def read_lines
      lines = @early || []
      @early = nil
      while lines.empty?
        return unless read

        split { |line| lines << line }
      end
      lines
    end

    private

    def read
      @io.readpartial(CHUNK_BYTES, @chunk)
    rescue EOFError, SystemCallError
      nil
    end

    def split
      from = 0
      while (newline = @chunk.index("\n", from))
        append(@chunk.byteslice(from, newline - from))
        yield take_line
        from = newline + 1
      end
      append(@chunk.byteslice(from, @chunk.bytesize - from))
    end

    def append(bytes)
      @oversize ||= Oversize.new((@line + bytes).byteslice(0, HEAD_BYTES)) if @line.bytesize + bytes.bytesize > @max_bytes
      @oversize ? @line.clear : @line << bytes
    end

    def take_line
      line = @oversize || @line
      @line = +"".b
      @oversize = nil
      line
    end
  end
end
