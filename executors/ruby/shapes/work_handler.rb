# frozen_string_literal: true

module Shapes
  # Does the work of every step of the shapes, which is next to nothing.
  # The task's context says which steps fail, and how long they take:
  #
  #   {"failures": {"merge_branches": {"times": 2}, "end_workflow": {"permanent": true}},
  #    "sleep_ms": 10, "sleep": {"merge_branches": 500}}
  class WorkHandler < Tasker::StepHandler::Base
    def process(task, sequence, step)
      pause(task.context, step)
      fail_as_told(task.context, step)

      {
        success: true,
        step_name: step.name,
        attempt: step.attempt,
        language: "ruby",
        parents: sequence.steps.to_h { |parent| [parent.name, parent.results&.dig("step_name")] }
      }
    end

    private

    def pause(context, step)
      milliseconds = context.dig("sleep", step.name) || context["sleep_ms"]
      sleep(milliseconds / 1000.0) if milliseconds
    end

    def fail_as_told(context, step)
      failure = context.dig("failures", step.name) or return

      if failure["permanent"]
        raise Tasker::PermanentError.new("#{step.name} was told to fail for good", error_code: "TOLD_TO_FAIL")
      end

      times = failure.fetch("times", 0)
      return if step.attempt > times

      raise Tasker::RetryableError, "#{step.name} fails on attempt #{step.attempt}, as on the first #{times}"
    end
  end
end
