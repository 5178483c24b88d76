# frozen_string_literal: true

module Billing
  # Asks a web service; the status table and the answer's Retry-After are the superclass's.
  class FetchRates < Tasker::StepHandler::Api
    def process(task, _sequence, _step)
      connection.get("/rates/#{task.context['order_id']}", { base: "EUR" })
    end
  end
end
