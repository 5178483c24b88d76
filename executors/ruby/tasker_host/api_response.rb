# frozen_string_literal: true

require "time"
require_relative "log"
require_relative "text"

module TaskerHost
  # What the response of an HTTP API means for the step.
  module ApiResponse
    SUCCESS = (200..226).freeze
    PERMANENT = [400, 401, 403, 404, 422].freeze
    BACKING_OFF = [429, 503].freeze
    BASE_DELAYS = [1, 2, 4, 8, 16, 32].freeze
    MAX_DELAY = 300
    JITTER = 0.1
    BODY_BYTES = 4096

    class << self
      # Raises the error that the status of the response asks for. Ignores an object that is no response.
      def check(response, step, config)
        return unless response?(response)

        status = response.status.to_i
        return if SUCCESS.cover?(status)
        raise permanent(response, status) if PERMANENT.include?(status)

        raise Tasker::RetryableError.new(message(response, status), retry_after: delay(response, status, step, config),
                                                            context: context(response, status))
      end

      def response?(object)
        object.respond_to?(:status) && object.respond_to?(:body) && object.respond_to?(:headers)
      end

      # The results of a step that returns a response, unless process_results stores others.
      def stored(response)
        { "status" => response.status, "body" => text(response.body), "response_headers" => response.headers.to_h }
      end

      # The seconds that a Retry-After header asks for, or nil: it holds a number or an HTTP date.
      def retry_after(value, now = Time.now)
        text = value.to_s.strip
        return text.to_i if text.match?(/\A\d+\z/)

        [(Time.httpdate(text) - now).ceil, 1].max
      rescue ArgumentError
        nil
      end

      # The delay before the next attempt if the server names none.
      def exponential_delay(attempt)
        base = [BASE_DELAYS[attempt - 1] || attempt**2, MAX_DELAY].min
        spread = (base * JITTER).round
        [base + rand(-spread..spread), 1].max
      end

      private

      def permanent(response, status)
        Tasker::PermanentError.new(message(response, status), error_code: "HTTP_#{status}",
                                                              context: context(response, status))
      end

      def message(response, status)
        body = Text.clip(response.body, 300)
        body.empty? ? "the API answered with status #{status}" : "the API answered with status #{status}: #{body}"
      end

      def context(response, status)
        { "response_status" => status, "response_body" => Text.clip(response.body, BODY_BYTES) }
      end

      # For statuses other than 429 and 503, the worker computes the delay.
      def delay(response, status, step, config)
        return unless BACKING_OFF.include?(status)

        requested = retry_after(header(response, "retry-after"))
        if requested
          backing_off(step, "server_requested", [requested, MAX_DELAY].min, retry_after: requested)
        elsif exponential?(config)
          backing_off(step, "exponential", exponential_delay(step.attempts + 1), attempt: step.attempts + 1)
        end
      end

      def backing_off(step, type, seconds, **more)
        TaskerHost.log&.info("event observability.step.backoff", step_name: step.name, backoff_type: type,
                                                                backoff_seconds: seconds, **more)
        seconds
      end

      def exponential?(config)
        return config.enable_exponential_backoff if config.respond_to?(:enable_exponential_backoff)

        config["enable_exponential_backoff"]
      end

      def header(response, name)
        response.headers.each { |key, value| return value if key.to_s.casecmp?(name) }
        nil
      end

      def text(body)
        body.is_a?(String) ? Text.utf8(body) : body
      end
    end
  end
end
