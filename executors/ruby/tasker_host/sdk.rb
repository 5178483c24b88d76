# frozen_string_literal: true

# What handlers may use. A handler is a class with a public method `process(task, sequence, step)`:
#
#   class Shop::ChargeCard < Tasker::StepHandler::Base
#     def process(task, sequence, step)
#       cart = sequence.find_step_by_name("validate_cart").results
#       { "charged" => cart["total"], "order_id" => task.context["order_id"] }
#     end
#   end
#
# Hashes have string keys. The returned value becomes the step's results, unless `process` assigned `step.results`
# itself. It must be JSON: hashes, arrays, strings in UTF-8, finite numbers, true, false and nil. Symbols, Time (as
# RFC 3339 in UTC), Date (ISO 8601), BigDecimal (as a string) and Set (as an array) are converted; anything else fails
# the step for good with the class Tasker::InvalidResult.
#
# Any exception fails the attempt, and the step is retried up to its limit. The two classes below say more.
module Tasker
  class Error < StandardError; end
  class ProceduralError < Error; end

  # Fails the attempt and asks for the next one after `retry_after` seconds.
  class RetryableError < ProceduralError
    attr_reader :retry_after, :context

    def initialize(message = nil, retry_after: nil, context: {})
      super(message)
      @retry_after = retry_after
      @context = context
    end
  end

  # Fails the step for good: it is not retried, whatever its limit.
  class PermanentError < ProceduralError
    attr_reader :error_code, :context

    def initialize(message = nil, error_code: nil, context: {})
      super(message)
      @error_code = error_code
      @context = context
    end
  end

  module StepHandler
    # The usual superclass of handlers; it is not required. `config` is the template's handler_config.
    class Base
      def initialize(config: {})
        @config = config
      end

      def config
        @config ||= {}
      end
    end
  end

  class << self
    # A logger whose records reach the worker's log with the step they belong to:
    #   Tasker.logger.info("charged", amount: 12)
    attr_accessor :logger
  end
end
