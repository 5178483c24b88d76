'use strict';

// Runs one handler without a worker:
//
//   const { run } = require('tasker/testing');
//   const { chargeCard } = require('./charge_card');
//
//   test('charges the total', async () => {
//     const outcome = await run(chargeCard, { context: { customer: 7 }, results: { validate_cart: { total: 12 } } });
//     assert.equal(outcome.kind, 'success');
//     assert.deepEqual(outcome.result, { charged: 12 });
//   });
//
// Start the tests with NODE_PATH at the folder that holds this `tasker`, so that require finds it.

const { Execution } = require('../../execution');
const { Handler } = require('../../handler');
const tasker = require('../tasker');

const LIMITS = { maxBytes: 1 << 20, maxDepth: 64, maxFileBytes: 0 };
const OPTIONS = new Set(
  ('attempt calls cancelAfter checkpoint config context inputs name namespace results retryLimit secrets tags ' +
    'version').split(' '),
);

// Runs handler, a function or a class with process, and resolves to its outcome: kind ('success', 'failure',
// 'cancelled' or 'deferred'), result, failure {kind, class, message, code, retryAfter, backtrace, details},
// resumeAfter, checkpoint, and what it asked for: checkpoints, events, heartbeats, logs, spawned and tasks.
//
// results are those of earlier steps by their names; secrets are values by name; cancelAfter cancels the step after so
// many milliseconds; calls overrides what the worker answers, as functions by the name of the wire method.
async function run(handler, options = {}) {
  for (const name of Object.keys(options)) {
    if (!OPTIONS.has(name)) throw new TypeError(`run has no option ${name}; it has ${[...OPTIONS].join(', ')}`);
  }
  const client = new TestClient(options);
  const execution = new Execution('test', params(options), new Handler('handler', 'test', handler), LIMITS, client);
  clients.set(execution, client);
  let timer;
  try {
    const answer = await new Promise((resolve) => {
      execution.start(resolve);
      if (options.cancelAfter === undefined) return;
      timer = setTimeout(() => execution.cancel('user', 1000), options.cancelAfter);
    });
    return { ...outcome(JSON.parse(answer).result), ...client.asked };
  } finally {
    clearTimeout(timer);
  }
}

// Records of tests that run at once are kept apart.
const clients = new WeakMap();

function recorder(level) {
  return (message, attrs) => {
    clients.get(Execution.current())?.asked.logs.push({ level, message: String(message), attrs });
  };
}

tasker.host.log = {
  debug: recorder('debug'), info: recorder('info'), warn: recorder('warn'), error: recorder('error'),
};
tasker.host.step = () => Execution.current()?.step;

// JSON, as the worker would send it.
function params({
  attempt = 1, checkpoint, config = {}, context = {}, inputs, name = 'test', namespace = 'test', results = {},
  retryLimit = 3, tags, version = '1.0.0',
}) {
  const dependencies = Object.entries(results).map(([step, result], i) => [step, { step_id: String(i + 1), result }]);
  return JSON.parse(JSON.stringify({
    execution_id: 'test',
    step: { id: '1', name, attempt, max_attempts: retryLimit, inputs },
    task: { id: '1', namespace, name, version, context, tags, requested_at: new Date().toISOString() },
    dependencies: Object.fromEntries(dependencies),
    handler: { name: 'handler', config },
    idempotency_key: 'tasker:step:1',
    checkpoint,
  }));
}

function outcome({ outcome: kind, result, failure, resume_after_ms: resumeAfterMs, checkpoint }) {
  if (failure?.retry_after_ms !== undefined) failure.retryAfter = failure.retry_after_ms / 1000;
  const resumeAfter = resumeAfterMs === undefined ? undefined : resumeAfterMs / 1000;
  return { kind, result, failure, checkpoint, resumeAfter };
}

// Takes what a handler asks for, in place of a worker.
class TestClient {
  #secrets;
  #calls;

  asked = { checkpoints: [], events: [], heartbeats: [], logs: [], spawned: [], tasks: [] };

  constructor({ secrets = {}, calls = {} }) {
    this.#secrets = secrets;
    this.#calls = calls;
  }

  offers() {
    return true;
  }

  notify(method, { execution_id: ignored, ...params }) {
    this.asked.heartbeats.push(params);
  }

  printed() {} // what a handler prints is printed

  async request(method, sent) {
    const { execution_id: ignored, ...params } = JSON.parse(JSON.stringify(sent));
    try {
      return { result: await (this.#calls[method] ?? this.#answers[method])(params) };
    } catch (error) {
      return { error: { code: error.code ?? -32603, message: error.message } };
    }
  }

  #answers = {
    'step.lease': () => ({ current: true, remaining_ms: 60_000 }),
    'step.save_checkpoint': ({ checkpoint }) => void this.asked.checkpoints.push(checkpoint),
    'step.publish_event': (event) => {
      this.asked.events.push(event);
      return { accepted: true };
    },
    'step.spawn': ({ steps }) => ({ accepted: this.asked.spawned.push(...steps) && steps.length }),
    'tasks.create': (task) => ({ task_id: String(this.asked.tasks.push(task)), created: true }),
    'secrets.get': ({ name }) => {
      if (Object.hasOwn(this.#secrets, name)) return { value: this.#secrets[name] };
      throw Object.assign(new Error(`the test gave no secret ${name}`), { code: -32021 });
    },
  };
}

module.exports = { run };
