# frozen_string_literal: true

module Billing
  # Fails for good, from a helper's rescue.
  class Decline < Tasker::StepHandler::Base
    def process(_task, _sequence, _step)
      charge
    rescue KeyError => e
      raise Tasker::PermanentError.new("card declined", error_code: "DECLINED", context: { reason: e.message })
    end

    private

    def charge
      {}.fetch(:card)
    end
  end
end
