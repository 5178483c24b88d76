# frozen_string_literal: true

module Billing
  # The first step of a task, as most of the engine's are: reads the context, returns a hash.
  class LoadOrder < Tasker::StepHandler::Base
    def process(task, sequence, step)
      raise ArgumentError, "steps before the first" unless sequence.steps.empty?

      {
        order_id: task.context["order_id"],
        customer: { name: task.context["customer"]["name"], tags: [:new, "vip"] },
        lines: step.inputs["lines"].map { |line| line.merge("total" => line["price"] * line["quantity"]) },
        tier: config["tier"],
        called: "#{task.name}/#{step.name}"
      }
    end
  end
end
