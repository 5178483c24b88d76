'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { Worker } = require('./worker');

const CALLS = [
  ['lease', [], 'step.lease', {}],
  ['saveCheckpoint', [{ page: 1 }], 'step.save_checkpoint', { checkpoint: { page: 1 } }],
  ['publishEvent', ['paid', { cents: 1 }, { dedupeKey: 'k', delivery: 'now' }], 'step.publish_event',
    { name: 'paid', payload: { cents: 1 }, dedupe_key: 'k', delivery: 'now' }],
  ['spawn', [[{ name: 'more', handler: 'h', depends_on: [] }]], 'step.spawn',
    { steps: [{ name: 'more', handler: 'h', depends_on: [] }] }],
  ['createTask', ['shop', 'refund', '1.0.0', { id: 1 }, { identityKey: 'i' }], 'tasks.create',
    { namespace: 'shop', name: 'refund', version: '1.0.0', context: { id: 1 }, identity_key: 'i' }],
];

for (const [method, args, wire, params] of CALLS) {
  test(`step.${method} asks for ${wire}`, async (t) => {
    const worker = await Worker.ready(t, { reply: () => ({ result: { fine: true } }) });
    const { result } = await worker.execute('calls', { method, args });
    assert.deepEqual(result, { returned: method === 'saveCheckpoint' ? null : { fine: true } });
    assert.deepEqual(await worker.said(wire), { execution_id: 'e1', ...params });
  });
}

test('eight steps call at once, and each gets its own answer', async (t) => {
  const waiting = [];
  const worker = await Worker.ready(t, {
    reply: (method, params, id) => {
      waiting.push([id, params.execution_id]);
      if (waiting.length === 8) for (const [call, execution] of waiting.reverse()) worker.answer(call, { result: execution });
    },
  });
  const ids = Array.from({ length: 8 }, (_, i) => `e${i}`);
  const outcomes = await Promise.all(ids.map((id) => worker.execute('asks', {}, { execution_id: id })));
  assert.deepEqual(outcomes.map(({ result }) => result), ids);
});

test('a call that is not offered is not sent', async (t) => {
  const worker = await Worker.ready(t, { callbacks: ['step.spawn'] });
  const { result } = await worker.execute('calls', { method: 'lease' });
  assert.deepEqual(result, { threw: 'CallFailed', message: 'this worker does not offer step.lease', permanent: false });
  assert.deepEqual(worker.messages, []);
});

test('a stale lease ends all later effects', async (t) => {
  const worker = await Worker.ready(t, { reply: () => ({ error: { code: -32020, message: 'stale_lease' } }) });
  const { result } = await worker.execute('loses its lease');
  assert.deepEqual(result, { errors: ['LeaseLost', 'LeaseLost'], aborted: true });
  assert.equal(worker.messages.length, 1);
});

test('a request that is not permitted fails the step permanently', async (t) => {
  const worker = await Worker.ready(t, { reply: () => ({ error: { code: -32021, message: 'no' } }) });
  const { result } = await worker.execute('calls', { method: 'secret', args: ['k'] });
  assert.deepEqual(result, { threw: 'NotPermitted', message: 'secrets.get is not permitted: no', permanent: true });
});

for (const error of [{ code: -32022, message: 'slowly', data: { retry_after_ms: 20 } }, { code: -32023, message: 'no database' }]) {
  test(`after ${error.message} it asks again`, async (t) => {
    let calls = 0;
    const worker = await Worker.ready(t, { reply: () => (++calls < 3 ? { error } : { result: calls }) });
    assert.deepEqual((await worker.execute('calls', { method: 'lease' })).result, { returned: 3 });
  });

  test(`after ${error.message} it gives up at the deadline`, async (t) => {
    const worker = await Worker.ready(t, { reply: () => ({ error }) });
    const { result } = await worker.execute('calls', { method: 'lease' }, { timeout_ms: 250 });
    assert.equal(result.threw, 'CallFailed');
    assert.match(result.message, /before the step's deadline/);
  });
}

test('a worker that never answers does not keep a step from being cancelled', async (t) => {
  const worker = await Worker.ready(t, { reply: () => undefined });
  const outcome = worker.execute('asks');
  await worker.said('step.lease');
  worker.cancel('e1', 'timeout');
  assert.deepEqual(await outcome, { outcome: 'cancelled' });
});

test('a mistake in an argument is seen where it was made', async (t) => {
  const worker = await Worker.ready(t);
  for (const [method, args] of [
    ['publishEvent', ['']], ['publishEvent', ['n', {}, { delivery: 'later' }]], ['spawn', [{}]], ['createTask', ['n']],
    ['secret', []], ['saveCheckpoint', ['x'.repeat(70_000)]], ['heartbeat', [2]],
  ]) {
    assert.equal((await worker.execute('calls', { method, args })).result.threw, 'TypeError', method);
  }
  assert.deepEqual(worker.messages, []);
});

test('heartbeats within a second are combined', async (t) => {
  const worker = await Worker.ready(t);
  await worker.execute('beats', { progress: [0.1, 0.2, 0.3], ms: 1100 });
  const beats = worker.messages.map(({ method, params }) => [method, params.progress]);
  assert.deepEqual(beats, [['step.heartbeat', 0.1], ['step.heartbeat', 0.3]]);
});

test('a secret is in nothing that the step says', async (t) => {
  const worker = await Worker.ready(t, { reply: () => ({ result: { value: 'hunter"2' } }) });
  const { failure } = await worker.execute('secret');
  assert.equal(failure.message, 'refused [REDACTED]');
  assert.equal(worker.logs().length, 2);
  assert.doesNotMatch(JSON.stringify([failure, worker.messages]) + worker.stdout + worker.stderr, /hunter/);
});

test('a checkpoint, a scratch folder and a deadline reach the handler', async (t) => {
  const worker = await Worker.ready(t);
  const more = { checkpoint: { page: 7 }, scratch_dir: '/tmp', deadline_at: '2026-11-22T21:40:35.000Z' };
  const { result } = await worker.execute('argument', {}, more);
  assert.deepEqual(result, { checkpoint: { page: 7 }, scratch: '/tmp', deadline: '2026-11-22T21:40:35.000Z' });
});
