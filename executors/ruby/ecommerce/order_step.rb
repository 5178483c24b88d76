# frozen_string_literal: true

require "time"

module Ecommerce
  # What the steps of an order have in common.
  module OrderStep
    private

    # Returns value, or fails for good: what is absent now will be absent on every attempt.
    def require_present(value, error_code, message)
      return value unless value.nil? || (value.respond_to?(:empty?) && value.empty?)

      raise Tasker::PermanentError.new(message, error_code: error_code)
    end

    def results_of(sequence, step_name)
      sequence.find_step_by_name(step_name)&.results
    end

    def timestamp
      Time.now.utc.iso8601
    end
  end
end
