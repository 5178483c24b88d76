import tasker


@tasker.handler
def {{.Name}}(task, sequence, step):
    # What this returns is the result of the step. Raise tasker.PermanentError for what no retry can mend.
{{- if .After}}
    before = sequence.find_step_by_name("{{.After}}")
    return {"step": step.name, "context": task.context, "before": before.results if before else None}
{{- else}}
    return {"step": step.name, "context": task.context}
{{- end}}
