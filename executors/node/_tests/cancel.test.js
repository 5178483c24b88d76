'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { Worker } = require('./worker');

const CANCELS = {
  signal: { outcome: 'cancelled' },
  timer: { outcome: 'cancelled' },
  checkpoint: { outcome: 'cancelled', checkpoint: { rows: 3 } },
  'own error': { outcome: 'cancelled', checkpoint: { rows: 4 } },
  check: { outcome: 'cancelled' },
  finished: { outcome: 'success', result: 'done all the same' },
};

for (const [until, want] of Object.entries(CANCELS)) {
  test(`a handler that is cancelled ends by ${until}`, async (t) => {
    const worker = await Worker.ready(t);
    const outcome = worker.execute('waits', { until });
    await worker.said('step.heartbeat');
    if (until === 'checkpoint') await worker.said('step.save_checkpoint');
    worker.cancel('e1');
    assert.deepEqual(await outcome, want);
  });
}

test('a handler that does not settle is not answered, and its neighbours go on', async (t) => {
  const worker = await Worker.ready(t);
  let answered = false;
  worker.execute('waits').finally(() => (answered = true));
  await worker.said('step.heartbeat');
  worker.cancel('e1');
  assert.deepEqual(await worker.execute('echo', { value: 1 }, { execution_id: 'e2' }), { outcome: 'success', result: 1 });
  assert.equal((await worker.ask('ping')).in_flight, 1);
  assert.equal(answered, false);
});

test('a cancel before the start, after the end or of nothing does no harm', async (t) => {
  const worker = await Worker.ready(t);
  worker.cancel('e1');
  assert.equal((await worker.execute('echo', { value: 1 })).result, 1);
  worker.cancel('e1');
  worker.cancel(undefined, 17, 'x');
  assert.equal((await worker.execute('echo', { value: 2 })).result, 2);
});

test('what a listener of the signal throws fails its own step only', async (t) => {
  const worker = await Worker.ready(t);
  const outcome = worker.execute('waits', { until: 'listener throws' });
  await worker.said('step.heartbeat');
  worker.cancel();
  const { failure } = await outcome;
  assert.equal(failure.message, 'thrown by a listener');
  assert.equal((await worker.execute('echo', { value: 2 })).result, 2);
});

test('an exclusive handler runs alone, and says that it does', async (t) => {
  const worker = await Worker.ready(t);
  const described = worker.description.handlers.find(({ name }) => name === 'alone');
  assert.equal(described.exclusive, true);
  const alone = worker.execute('alone', { until: 'signal' });
  await worker.said('step.heartbeat');
  await assert.rejects(worker.execute('echo', {}, { execution_id: 'e2' }), { code: -32005 });
  worker.cancel();
  await alone;
  const other = worker.execute('waits', { until: 'signal' }, { execution_id: 'e3' });
  await assert.rejects(worker.execute('alone', {}, { execution_id: 'e4' }), { code: -32005 });
  worker.cancel('e3');
  await other;
});

test('a deferred step says when, and what it leaves', async (t) => {
  const worker = await Worker.ready(t);
  assert.deepEqual(await worker.execute('defers', { seconds: 1.5, checkpoint: { page: 2 } }), {
    outcome: 'deferred', resume_after_ms: 1500, checkpoint: { page: 2 },
  });
  assert.deepEqual(await worker.execute('defers', { seconds: 0 }), { outcome: 'deferred', resume_after_ms: 0 });
  assert.equal((await worker.execute('defers', { seconds: 'soon' })).failure.class, 'TypeError');
});
