# frozen_string_literal: true

module TaskerHost
  # What one execution prints, as log records, one a line.
  class PrintedLines
    LINE_BYTES = 16 * 1024
    LEVELS = { stdout: "info", stderr: "warn" }.freeze
    # For making one: most executions print nothing, and some from several threads at once.
    LOCK = Mutex.new

    def initialize(log, execution_id)
      @log = log
      @execution_id = execution_id
      @lock = Mutex.new
    end

    # Whether text could be logged; when there is too much of it, it stays with the process's own output.
    def add(stream, text)
      return false unless @log.within_budget?(text.bytesize)

      @lock.synchronize do
        rest = (@rest ||= {})[stream] ||= +"".b
        rest << text.b
        log_lines(stream, rest)
      end
      true
    end

    # Logs what was not ended with a newline.
    def finish
      return unless @rest

      @lock.synchronize do
        @rest.each { |stream, rest| log_line(stream, rest) unless rest.empty? }
        @rest = nil
      end
    end

    private

    def log_lines(stream, rest)
      while (newline = rest.index("\n"))
        log_line(stream, rest.slice!(0..newline).chomp)
      end
      log_line(stream, rest.slice!(0..-1)) if rest.bytesize > LINE_BYTES
    end

    def log_line(stream, line)
      @log.printed(LEVELS[stream], line, stream.to_s, @execution_id)
    end
  end

  # Makes what is written to the standard streams known to the execution whose code writes it. Outside of executions, and
  # beyond the limit of the log, the streams are what they were.
  module Output
    class << self
      def capture
        STDOUT.singleton_class.prepend(watcher(:stdout))
        STDERR.singleton_class.prepend(watcher(:stderr))
        Warning.singleton_class.prepend(Warnings)
      end

      private

      def watcher(stream)
        Module.new do
          define_method(:write) do |*parts|
            execution = Current.execution
            next super(*parts) unless execution || Current.left_over?

            text = parts.join
            next super(*parts) unless Output.kept?(execution, stream, text)

            text.bytesize
          end
          %i[syswrite write_nonblock].each do |name|
            define_method(name) do |text, *rest|
              execution = Current.execution
              next super(text, *rest) unless execution && Output.kept?(execution, stream, text.to_s)

              text.to_s.bytesize
            end
          end
        end
      end
    end

    # `warn` writes past the methods of the stream.
    module Warnings
      def warn(message, **options)
        return super unless Current.execution

        $stderr.write(message)
        nil
      end
    end

    # A trap handler may not take locks; what it prints is not attributed.
    # What a thread prints that outlived its step belongs to no step, although another one may be alone in the process now.
    def self.kept?(execution, stream, text)
      return execution.print(stream, text) if execution
      return false unless TaskerHost.log&.within_budget?(text.bytesize)

      text.each_line(chomp: true) { |line| TaskerHost.log.printed(PrintedLines::LEVELS[stream], line, stream.to_s, nil) }
      true
    rescue ThreadError
      false
    end
  end
end
