# frozen_string_literal: true

module TaskerHost
  # The lines that one execution prints, as log records.
  class PrintedLines
    LINE_BYTES = 16 * 1024
    LEVELS = { stdout: "info", stderr: "warn" }.freeze
    # Guards the creation: most executions print nothing, and some print from several threads at once.
    LOCK = Mutex.new

    def initialize(log, execution_id)
      @log = log
      @execution_id = execution_id
      @lock = Mutex.new
    end

    # Logs text. Returns false if the budget of the second is used up: then text goes to the output of the process.
    def add(stream, text)
      return false unless @log.within_budget?(text.bytesize)

      @lock.synchronize do
        rest = (@rest ||= {})[stream] ||= +"".b
        rest << text.b
        log_lines(stream, rest)
      end
      true
    end

    # Logs a last line without a newline.
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

  # Logs text that an execution writes to the standard streams. Other text, and text beyond the budget, goes to the
  # original streams.
  module Output
    class << self
      def capture
        STDOUT.singleton_class.prepend(interceptor(:stdout))
        STDERR.singleton_class.prepend(interceptor(:stderr))
        Warning.singleton_class.prepend(Warnings)
      end

      private

      def interceptor(stream)
        Module.new do
          define_method(:write) do |*parts|
            execution = Current.execution
            next super(*parts) unless execution || Current.left_over?

            text = parts.join
            next super(*parts) unless Output.logged?(execution, stream, text)

            text.bytesize
          end
          %i[syswrite write_nonblock].each do |name|
            define_method(name) do |text, *rest|
              execution = Current.execution
              next super(text, *rest) unless execution && Output.logged?(execution, stream, text.to_s)

              text.to_s.bytesize
            end
          end
        end
      end
    end

    # `warn` does not use the methods of the stream.
    module Warnings
      def warn(message, **options)
        return super unless Current.execution

        $stderr.write(message)
        nil
      end
    end

    # Logs text and returns whether it did. A thread that has outlived its step prints for no step. A trap handler may
    # not take locks; its text is not logged.
    def self.logged?(execution, stream, text)
      return execution.print(stream, text) if execution
      return false unless TaskerHost.log&.within_budget?(text.bytesize)

      level = PrintedLines::LEVELS[stream]
      text.each_line(chomp: true) { |line| TaskerHost.log.printed(level, line, stream.to_s, nil) }
      true
    rescue ThreadError
      false
    end
  end
end
