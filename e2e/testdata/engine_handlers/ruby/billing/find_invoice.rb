# frozen_string_literal: true

module Billing
  # Asks for what is not there.
  class FindInvoice < Tasker::StepHandler::Api
    def process(_task, _sequence, _step)
      connection.get("/invoices/none")
    end
  end
end
