# frozen_string_literal: true

module TaskerHost
  # Reads one message per line from a pipe, in large chunks and with a bound on the length of a line.
  class LineReader
    CHUNK_BYTES = 64 * 1024
    # How much of a line over the limit is kept, to find its id and method.
    HEAD_BYTES = 1024
    # Stands for a line over the limit.
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

    # Closes the pipe, in a forked child.
    def close_in_child
      @io.close
    end

    # The first line, without consuming it; nil if the pipe is closed before.
    def first_line
      (@unread = read_lines)&.first
    end

    # Waits for at least one complete line and returns the lines; nil at the end of the pipe. An incomplete line at the
    # end is dropped.
    def read_lines
      lines = @unread || []
      @unread = nil
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
      if @line.bytesize + bytes.bytesize > @max_bytes
        @oversize ||= Oversize.new((@line + bytes).byteslice(0, HEAD_BYTES))
      end
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
