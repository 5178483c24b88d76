# frozen_string_literal: true

require "time"
require_relative "../attributes"
require_relative "../current"
require_relative "../log"
require_relative "../result_json"
require_relative "../sdk"
require_relative "../text"

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
# itself. It must be JSON: hashes, arrays, strings in UTF-8, finite numbers, true, false and nil. Symbols, Time (as RFC
# 3339 in UTC), Date (ISO 8601), BigDecimal (as a string) and Set (as an array) are converted, and with ActiveSupport
# what has an `as_json` of its own, like records; anything else fails the step permanently with the class
# Tasker::InvalidResult.
#
# Any exception fails the attempt, and the step is retried up to its limit. Tasker::RetryableError,
# Tasker::PermanentError and Tasker::Deferred are more specific.
#
# Where an app has brought the Rails engine, the constants of the same names are the engine's (see ../sdk.rb).
module Tasker
  class << self
    unless method_defined?(:logger)
      # A logger whose records reach the worker's log with the step they belong to:
      #   Tasker.logger.info("charged", amount: 12)
      def logger
        TaskerHost.log
      end

      def logger=(log)
        TaskerHost.log = log
      end
    end

    # The step that the calling thread runs, or one that started this thread runs; nil outside of steps.
    def current_step
      TaskerHost::Current.execution&.step
    end
  end

  require_relative "tasker/errors"
  require_relative "tasker/constants" unless TaskerHost::SDK.defined_by_app?(self, :Constants)

  # What the engine's handlers include.
  module Concerns
    require_relative "tasker/concerns/event_publisher" unless TaskerHost::SDK.defined_by_app?(self, :EventPublisher)
    unless TaskerHost::SDK.defined_by_app?(self, :StructuredLogging)
      require_relative "tasker/concerns/structured_logging"
    end
  end

  require_relative "tasker/step_handler"
  require_relative "tasker/task_handler" unless TaskerHost::SDK.defined_by_app?(self, :TaskHandler)
  require_relative "tasker/configured_task" unless TaskerHost::SDK.defined_by_app?(self, :ConfiguredTask)
end
