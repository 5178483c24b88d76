# frozen_string_literal: true

require_relative "failure"

module TaskerHost
  # Why the process ends, when an error in some thread, a signal, or `exit` in a thread has ended its main thread. The worker reports
  # the last line of stderr for the step that is held responsible.
  module ExitReport
    LOOKS = 20
    LOOK_SECONDS = 0.005

    class << self
      def say(cause)
        frames = cause.is_a?(Exception) ? Failure.backtrace(cause, 20).map { |frame| "\t#{frame}\n" } : []
        STDERR.write("#{frames.join}tasker host: the process ends: #{reason(cause)}#{origin(cause)}\n")
      rescue StandardError
        nil
      end

      # The thread that the error has ended, if there is one. It may take a moment until it has.
      def ended_by(error)
        return if error.nil? || error.is_a?(SignalException)

        LOOKS.times do
          found = ObjectSpace.each_object(Thread).find { |thread| !thread.alive? && error_of(thread).equal?(error) }
          return found if found

          sleep LOOK_SECONDS
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
        else "an error that a handler's thread hands on to the main thread: #{cause.class}: #{Text.clip(cause.message, 1000).gsub(/\s+/, " ")}"
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
