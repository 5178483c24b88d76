# frozen_string_literal: true

require_relative "load_watch"
require_relative "result_json"
require_relative "secrets"
require_relative "text"

module TaskerHost
  # What an exception means for the step, as the worker records it. Everything in it is bounded.
  module Failure
    MESSAGE_BYTES = 4096
    FRAME_BYTES = 500
    FRAMES = 100
    CAUSES = 5
    CAUSE_FRAMES = 20
    DETAILS_BYTES = 64 * 1024
    DETAILS_DEPTH = 60
    HIDDEN = ["#{__dir__}/", "#{$PROGRAM_NAME}:", "<internal:"].freeze

    class << self
      # The failure of an attempt in which error was raised.
      def of(error)
        case error
        when Tasker::RetryableError then retryable(error)
        when Tasker::PermanentError then permanent(error)
        when ResultJSON::TooLarge then unacceptable("Tasker::ResultTooLarge", error)
        when ResultJSON::Unacceptable then unacceptable("Tasker::InvalidResult", error)
        else { kind: "retryable", **description(error, FRAMES), **cause(error) }
        end
      end

      # An exception raised while a file was loaded.
      def of_load(file, error)
        failure = { file: file, **description(error, FRAMES) }
        failure[:class] = "Tasker::LoadTimeout" if error.is_a?(LoadWatch::Timeout)
        failure
      end

      # The frames of error outside this host, innermost first.
      def backtrace(error, max_frames)
        frames = (error.backtrace || []).reject { |line| line.start_with?(*HIDDEN) }
        shown = frames.first(max_frames).map { |line| Text.clip(line, FRAME_BYTES) }
        shown[-1] = "... (#{frames.size - max_frames + 1} more)" if frames.size > max_frames
        shown
      end

      # seconds in whole milliseconds; nil for what is no duration.
      def milliseconds(seconds)
        return if seconds.nil?

        value = Float(seconds)
        (value * 1000).round if value.finite? && value >= 0
      rescue ArgumentError, TypeError
        nil
      end

      private

      def retryable(error)
        failure = { kind: "retryable", **description(error, FRAMES), **cause(error), **details(error) }
        delay = milliseconds(error.retry_after)
        failure[:retry_after_ms] = delay if delay
        failure
      end

      def permanent(error)
        failure = { kind: "permanent", **description(error, FRAMES), **cause(error), **details(error) }
        failure[:code] = Text.clip(error.error_code, FRAME_BYTES) if error.error_code
        failure
      end

      def unacceptable(name, error)
        { kind: "permanent", class: name, message: Text.clip(error.message, MESSAGE_BYTES), backtrace: [] }
      end

      def description(error, max_frames)
        {
          class: Text.clip(error.class.name || error.class.inspect, FRAME_BYTES),
          message: Text.clip(message(error), MESSAGE_BYTES),
          backtrace: backtrace(error, max_frames)
        }
      end

      # Exceptions are users' classes; even `message` may raise.
      def message(error)
        error.message
      rescue StandardError => e
        "(#{error.class}#message raised #{e.class})"
      end

      def cause(error, depth = 1)
        return {} if error.cause.nil? || depth > CAUSES

        { cause: { **description(error.cause, CAUSE_FRAMES), **cause(error.cause, depth + 1) } }
      end

      def details(error)
        return {} if error.context.nil? || error.context == {}

        context = ResultJSON.plain(error.context, max_bytes: DETAILS_BYTES, max_depth: DETAILS_DEPTH, what: "the context")
        { details: Secrets.redact_all(context) }
      rescue ResultJSON::Unacceptable => e
        { details: { details_dropped: Text.clip(e.message, FRAME_BYTES) } }
      end
    end
  end
end
