# frozen_string_literal: true

require "active_support/all"

module Billing
  # Leans on ActiveSupport, as code of Rails apps does without thinking.
  class SupportHelpers < Tasker::StepHandler::Base
    def process(task, _sequence, step)
      context = task.context.with_indifferent_access
      {
        present: context[:order_id].present?,
        blank: context[:nothing].blank?,
        deadline: 2.hours.since(Time.utc(2026, 1, 1)).iso8601,
        slug: "Order A 77".parameterize,
        ids: [1, 2, 3].in_groups_of(2, false),
        deep: step.inputs.deep_symbolize_keys.keys.sort.first(2)
      }
    end
  end
end
