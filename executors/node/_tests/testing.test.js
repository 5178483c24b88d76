'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const path = require('node:path');
const { test } = require('node:test');

const tasker = require('../tasker_host/sdk/tasker');
const { run } = require('../tasker_host/sdk/tasker/testing');

class Charge {
  constructor({ config }) {
    this.config = config;
  }

  async process(task, sequence, step) {
    await step.publishEvent('charged', { by: await step.secret('key') });
    await step.saveCheckpoint({ done: step.attempt });
    step.heartbeat(0.5);
    tasker.log.warn('beaten', { at: 1 });
    const { total } = sequence.findStepByName('cart').results;
    return { total, currency: this.config.currency, customer: task.context.customer, same: tasker.currentStep() === step };
  }
}

test('a handler gets its arguments, and the outcome has its requests', async () => {
  const outcome = await run(Charge, {
    attempt: 2, config: { currency: 'EUR' }, context: { customer: 7 }, results: { cart: { total: 12 } }, secrets: { key: 'k' },
  });
  assert.equal(outcome.kind, 'success');
  assert.deepEqual(outcome.result, { total: 12, currency: 'EUR', customer: 7, same: true });
  assert.deepEqual(outcome.events, [{ name: 'charged', payload: { by: 'k' } }]);
  assert.deepEqual(outcome.checkpoints, [{ done: 2 }]);
  assert.deepEqual(outcome.logs, [{ level: 'warn', message: 'beaten', attrs: { at: 1 } }]);
  assert.deepEqual(outcome.heartbeats, [{ progress: 0.5 }]);
});

test('failures, cancels and deferrals are outcomes', async () => {
  const busy = await run(() => { throw new tasker.RetryableError('busy', { retryAfter: 30 }); });
  assert.deepEqual([busy.kind, busy.failure.kind, busy.failure.class, busy.failure.retryAfter], ['failure', 'retryable', 'RetryableError', 30]);
  const forbidden = await run((task, sequence, step) => step.secret('none'));
  assert.deepEqual([forbidden.failure.kind, forbidden.failure.class], ['permanent', 'NotPermitted']);
  const waits = (task, sequence, step) => new Promise((resolve, reject) => step.signal.addEventListener('abort', () => reject(step.signal.reason)));
  assert.equal((await run(waits, { cancelAfter: 1 })).kind, 'cancelled');
  const later = await run(() => { throw new tasker.Deferred(60, { checkpoint: 1 }); });
  assert.deepEqual([later.kind, later.resumeAfter, later.checkpoint], ['deferred', 60, 1]);
});

test('an option that does not exist is an error', async () => {
  await assert.rejects(run(() => {}, { contxt: {} }), /no option contxt/);
});

test('NODE_PATH leads tests to the SDK', () => {
  const env = { ...process.env, NODE_PATH: path.join(__dirname, '..', 'tasker_host', 'sdk') };
  const program = "process.stdout.write(typeof require('tasker/testing').run + require('tasker').Deferred.name)";
  assert.equal(execFileSync(process.execPath, ['-e', program], { encoding: 'utf8', env }), 'functionDeferred');
});
