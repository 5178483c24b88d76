# frozen_string_literal: true

module Storefront
  # Asks a web service.
  class FetchPrice < Tasker::StepHandler::Api
    def process(task, _sequence, _step)
      connection.get("/prices/#{task.context["sku"]}")
    end

    def process_results(step, process_output, _initial_results)
      step.results = JSON.parse(process_output.body).with_indifferent_access.merge(at: Time.zone.local(2026, 1, 1, 12))
    end
  end
end
