'use strict';

// What this returns is the result of the step. Throw tasker.PermanentError for what no retry can mend.
module.exports = async function handler(task, sequence, step) {
{{- if .After}}
  const before = sequence.findStepByName('{{.After}}');
  return { step: step.name, context: task.context, before: before ? before.results : null };
{{- else}}
  return { step: step.name, context: task.context };
{{- end}}
};
