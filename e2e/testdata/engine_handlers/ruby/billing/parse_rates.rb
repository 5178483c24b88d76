# frozen_string_literal: true

require "json"

module Billing
  # Keeps of an answer what it needs.
  class ParseRates < Tasker::StepHandler::Api
    def process(_task, _sequence, _step)
      connection.post("/convert") { |request| request.body = JSON.generate(amount: 12) }
    end

    def process_results(step, process_output, _initial_results)
      body = process_output.body
      body = JSON.parse(body) if body.is_a?(String)
      step.results = { status: process_output.status, converted: body["amount"] }
    end
  end
end
