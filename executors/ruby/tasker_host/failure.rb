# frozen_string_literal: true

require_relative "duration"
require_relative "load_timer"
require_relative "result_json"
require_relative "secrets"
require_relative "text"

module TaskerHost
  # The failure that the worker records for an exception. All of its members are bounded.
  module Failure
    MESSAGE_BYTES = 4096
    FRAME_BYTES = 500
    FRAMES = 100
    CAUSES = 5
    ANCESTORS = 10
    CAUSE_FRAMES = 20
    DETAILS_BYTES = 64 * 1024
    DETAILS_DEPTH = 60
    # Frames of this host, and frames that Ruby puts between two files when one requires the other.
    HIDDEN = Regexp.union(/\A#{Regexp.escape(__dir__)}\//, /\A#{Regexp.escape($PROGRAM_NAME)}:/, /\A<internal:/,
                          %r{/rubygems/core_ext/}, %r{/bundled_gems\.rb:}, %r{/zeitwerk/kernel\.rb:}, %r{/bootsnap/})

    class << self
      # The failure of an attempt in which error was raised.
      def of(error)
        case error
        when Tasker::RetryableError then retryable(error)
        when Tasker::PermanentError then permanent(error)
        when ResultJSON::TooLarge then unacceptable("Tasker::ResultTooLarge", error)
        when ResultJSON::Unacceptable then unacceptable("Tasker::InvalidResult", error)
        else { kind: "retryable", **description(error, FRAMES), **ancestors(error), **cause(error) }
        end
      end

      # An exception raised while a file was loaded.
      def of_load(file, error)
        failure = { file: file, **description(error, FRAMES) }
        failure[:class] = "Tasker::LoadTimeout" if error.is_a?(LoadTimer::Timeout)
        failure
      end

      # The frames of error outside this host, innermost first.
      def backtrace(error, max_frames)
        frames = (error.backtrace || []).reject { |line| line.match?(HIDDEN) }
        shown = frames.first(max_frames).map { |line| Text.clip(line, FRAME_BYTES) }
        shown[-1] = "... (#{frames.size - max_frames + 1} more)" if frames.size > max_frames
        shown
      end

      # The failure of an attempt whose request cannot be read. No retry changes that.
      def of_request(message)
        message = Text.clip(message, MESSAGE_BYTES)
        { kind: "permanent", class: "Tasker::InvalidArguments", message: message, backtrace: [] }
      end

      # Logs that a value of the handler is ignored, with the reason. Returns the reason.
      def note(name, error)
        reason = Text.clip(error.message, FRAME_BYTES)
        TaskerHost.log&.warn("#{name} is ignored: #{reason}")
        reason
      end

      private

      def retryable(error)
        with_members("retryable", error) do |ignored|
          { retry_after_ms: optional(ignored, error, :retry_after) { |value| Duration.milliseconds(value) } }
        end
      end

      def permanent(error)
        with_members("permanent", error) do |ignored|
          { code: optional(ignored, error, :error_code) { |code| Text.clip(code, FRAME_BYTES) } }
        end
      end

      # The failure with the members of error. Members that cannot be used are named in the details.
      def with_members(kind, error)
        ignored = {}
        members = yield(ignored).compact
        details = details(error)
        extensible = (details[:details] || {}).is_a?(Hash)
        details = { details: { **(details[:details] || {}), **ignored } } if extensible && !ignored.empty?
        { kind: kind, **description(error, FRAMES), **ancestors(error), **cause(error), **details, **members }
      end

      def optional(ignored, error, name)
        value = error.public_send(name)
        value.nil? ? nil : yield(value)
      rescue StandardError => e # subclasses may compute it
        ignored["#{name}_ignored"] = note(name, e)
        nil
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

      # The superclasses of the error, the nearest first. Those of all errors say nothing.
      def ancestors(error)
        above = error.class.ancestors.grep(Class).drop(1).take_while { |kind| kind != StandardError && kind != Exception }
        names = above.first(ANCESTORS).filter_map { |kind| kind.name && Text.clip(kind.name, FRAME_BYTES) }
        names.empty? ? {} : { ancestors: names }
      end

      # The message of error, whose class may be a user's: `message` may raise.
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
        context = error.context
        return {} if context.nil? || context == {}

        context = ResultJSON.plain(context, max_bytes: DETAILS_BYTES, max_depth: DETAILS_DEPTH, what: "the context")
        { details: Secrets.redact_all(context) }
      rescue StandardError => e
        { details: { details_dropped: Text.clip(e.message, FRAME_BYTES) } }
      end
    end
  end
end
