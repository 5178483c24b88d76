'use strict';

const { setTimeout: sleep } = require('node:timers/promises');
const { PermanentError, RetryableError } = require('tasker');

// Does the work of every step of the shapes, which is next to nothing.
// The task's context says which steps fail, and how long they take:
//
//   {"failures": {"merge_branches": {"times": 2}, "end_workflow": {"permanent": true}},
//    "sleep_ms": 10, "sleep": {"merge_branches": 500}}
class WorkHandler {
  async process(task, sequence, step) {
    await pause(task.context, step);
    failAsTold(task.context, step);

    return {
      success: true,
      step_name: step.name,
      attempt: step.attempt,
      language: 'node',
      parents: Object.fromEntries(sequence.steps.map((parent) => [parent.name, parent.results?.step_name])),
    };
  }
}

async function pause(context, step) {
  const milliseconds = context.sleep?.[step.name] ?? context.sleep_ms;
  if (milliseconds) await sleep(milliseconds);
}

function failAsTold(context, step) {
  const { permanent = false, times = 0 } = context.failures?.[step.name] ?? {};

  if (permanent) {
    throw new PermanentError(`${step.name} was told to fail for good`, { errorCode: 'TOLD_TO_FAIL' });
  }
  if (step.attempt <= times) {
    throw new RetryableError(`${step.name} fails on attempt ${step.attempt}, as on the first ${times}`);
  }
}

module.exports = { WorkHandler };
