'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { Worker } = require('./worker');

test('a cpu handler runs in a thread, which is used again', async (t) => {
  const worker = await Worker.ready(t);
  const first = await worker.execute('computes.where');
  assert.deepEqual([first.result.isMainThread, first.result.step], [false, 's']);
  assert.deepEqual((await worker.execute('computes.where')).result, first.result);
});

test('a handler that computes delays neither pings nor other steps', async (t) => {
  const worker = await Worker.ready(t);
  const outcome = worker.execute('computes.watches');
  await worker.said('step.heartbeat');
  assert.equal((await worker.ask('ping')).in_flight, 1);
  assert.equal((await worker.execute('echo', { value: 1 }, { execution_id: 'e2' })).result, 1);
  worker.cancel('e1', 'user', 60_000);
  await outcome;
});

test('the response has the CPU time of the handler', { skip: process.platform !== 'linux' }, async (t) => {
  const worker = await Worker.ready(t);
  const { metadata } = await worker.execute('computes.spins', { ms: 200 });
  assert.ok(metadata.cpu_ms > 0 && metadata.cpu_ms < 400, JSON.stringify(metadata)); // less than 200 on a busy machine
});

for (const [handler, want] of [
  ['spins', { outcome: 'cancelled' }], ['watches', { outcome: 'cancelled' }],
  ['saves', { outcome: 'cancelled', checkpoint: { rows: 9 } }],
]) {
  test(`computes.${handler} is stopped by a cancel`, async (t) => {
    const worker = await Worker.ready(t);
    const outcome = worker.execute(`computes.${handler}`, { ms: 600_000 });
    await worker.until(() => worker.messages.length > 0);
    worker.cancel('e1', 'timeout', 10_000);
    assert.deepEqual(await outcome, want);
    assert.equal((await worker.execute('computes.where')).outcome, 'success');
  });
}

test('the worker is asked, and prints are logged, as from anywhere', async (t) => {
  const worker = await Worker.ready(t, { reply: () => ({ result: { current: true } }) });
  const { result } = await worker.execute('computes.asks', {}, { checkpoint: { n: 1 } });
  assert.deepEqual(result, { lease: { current: true }, checkpoint: { n: 1 } });
  assert.deepEqual(worker.logs().map(({ execution_id: id, message }) => [id, message]), [['e1', 'asking'], ['e1', 'asked']]);
});

test('failures come with their class, and results are checked', async (t) => {
  const worker = await Worker.ready(t);
  const { failure } = await worker.execute('computes.fails');
  assert.deepEqual([failure.kind, failure.class, failure.message, failure.code], ['permanent', 'PermanentError', 'no such number', 'NONE']);
  assert.match(failure.backtrace[0], /computes\.js/);
  assert.equal((await worker.execute('computes.unfit')).failure.class, 'Tasker::InvalidResult');
});

for (const [handler, message] of [['exits', /exited with code 3/], ['exhausts', /memory/]]) {
  test(`computes.${handler} ends its thread and nothing else`, async (t) => {
    const worker = await Worker.ready(t, { args: ['--max-old-space-size=64'] });
    const { failure } = await worker.execute(`computes.${handler}`);
    assert.deepEqual([failure.kind, failure.class], ['retryable', 'Tasker::ThreadEnded']);
    assert.match(failure.message, message);
    assert.equal((await worker.execute('computes.where')).outcome, 'success');
  });
}
