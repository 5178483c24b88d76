# frozen_string_literal: true

require_relative "failure"

module TaskerHost
  # Reports why the process ends, if an error in a thread, a signal, or `exit` in a thread has ended its main thread.
  # The worker reports the last line of stderr with the step that it blames.
  module ExitReport
    CHECKS = 20
    CHECK_SECONDS = 0.005

    class << self
      def print(cause)
        frames = cause.is_a?(Exception) ? Failure.backtrace(cause, 20).map { |frame| "\t#{frame}\n" } : []
        STDERR.write("#{frames.join}tasker host: the process ends: #{reason(cause)}#{origin(cause)}\n")
      rescue StandardError
        nil
      end

      # The thread that the error has ended, or nil. Waits up to 0.1 s for its end.
      def ended_by(error)
        return if error.nil? || error.is_a?(SignalException)

        CHECKS.times do
          found = ObjectSpace.each_object(Thread).find { |thread| !thread.alive? && error_of(thread).equal?(error) }
          return found if found

          sleep CHECK_SECONDS
        end
        nil
      end

      # The place where the thread was started.
      def started_at(thread)
        thread.inspect[/ (\S+:\d+) /, 1]
      end

      private

      def reason(cause)
        case cause
        when nil then "its main thread was ended (Thread.main.exit)"
        when SystemExit then "a thread of a handler called exit with status #{cause.status}"
        when SignalException then "it got the signal #{cause.message}"
        else
          message = Text.clip(cause.message, 1000).gsub(/\s+/, " ")
          "an error that a handler's thread raises in the main thread: #{cause.class}: #{message}"
        end
      end

      def origin(cause)
        thread = ended_by(cause)
        thread ? ", in the thread started at #{started_at(thread)}" : ""
      end

      def error_of(thread)
        thread.join(0)
        nil
      rescue Exception => e # rubocop:disable Lint/RescueException -- whatever ended it
        e
      end
    end
  end
end
