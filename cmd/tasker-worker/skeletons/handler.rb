# frozen_string_literal: true

module {{.Module}}
  class {{.Class}}
    def process(task, sequence, step)
      # What this returns is the result of the step. Raise Tasker::PermanentError for what no retry can mend.
      { "step" => step.name, "context" => task.context{{if .After}}, "before" => sequence.find_step_by_name("{{.After}}")&.results{{end}} }
    end
  end
end
