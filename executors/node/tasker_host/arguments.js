'use strict';

// The three arguments of a handler, made from the params of step.execute.

const { Step } = require('./step');

// The task that the step belongs to.
class Task {
  constructor(task) {
    this.task_id = id(task.id);
    this.namespace = task.namespace;
    this.name = task.name;
    this.version = task.version;
    this.context = task.context ?? {};
    this.tags = task.tags ?? null;
    this.initiator = task.initiator ?? null;
    this.source_system = task.source_system ?? null;
    this.reason = task.reason ?? null;
    this.requested_at = task.requested_at ?? null;
  }
}

// The finished ancestors of the step, its parents last.
class Sequence {
  constructor(dependencies) {
    this.steps = Object.entries(dependencies).map(([name, step]) => ({
      workflow_step_id: id(step.step_id),
      name,
      results: step.result ?? null,
    }));
  }

  // The ancestor of that name, or null.
  findStepByName(name) {
    return this.steps.find((step) => step.name === name) ?? null;
  }

  find_step_by_name(name) {
    return this.findStepByName(name);
  }
}

function of(params, execution) {
  const step = new Step(id(params.step.id), params, execution);
  return [new Task(params.task), new Sequence(params.dependencies ?? {}), step];
}

// Ids travel as strings, because JavaScript cannot hold all of them as numbers.
function id(value) {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

module.exports = { of };
