# frozen_string_literal: true

module Billing
  # Fails once, as a gateway does, and asks for its own pause.
  class FlakyGateway < Tasker::StepHandler::Base
    def process(_task, _sequence, step)
      if step.attempts.to_i.zero?
        raise Tasker::RetryableError.new("gateway is busy", retry_after: 1, context: { gateway: "a" })
      end

      { "charged" => true, "after" => step.results["error"], "class" => step.results["error_class"] }
    end
  end
end
