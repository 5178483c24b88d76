'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const { Worker } = require('./worker');

test('the process state that a step changes is restored', async (t) => {
  const worker = await Worker.ready(t);
  const before = (await worker.execute('looks')).result;
  await worker.execute('litters');
  assert.deepEqual((await worker.execute('looks')).result, before);
  assert.deepEqual(worker.messages, []);
});

test('if other steps ran during the change, the worker is asked once for a new process', async (t) => {
  const worker = await Worker.ready(t);
  const before = (await worker.execute('looks')).result;
  const neighbour = worker.execute('waits', { until: 'signal' }, { execution_id: 'e2' });
  await worker.said('step.heartbeat');
  await worker.execute('litters');
  await worker.execute('litters');
  const asked = worker.messages.filter(({ method }) => method === 'executor.status');
  assert.deepEqual(asked.map(({ params }) => params.state), ['recycle_me']);
  worker.cancel('e2');
  await neighbour;
  assert.deepEqual((await worker.execute('looks')).result, before);
});

test('when there is no way back, every step is answered and the worker is asked for a new process', async (t) => {
  const worker = await Worker.ready(t, { cwd: fs.mkdtempSync(path.join(os.tmpdir(), 'folder-')) });
  await worker.execute('loses its folder');
  await worker.execute('litters');
  assert.equal((await worker.said('executor.status')).state, 'recycle_me');
});

test('globals that a step replaces are restored, also without a signal', async (t) => {
  const worker = await Worker.ready(t);
  const before = (await worker.execute('sees')).result;
  await worker.execute('replaces');
  assert.deepEqual((await worker.execute('sees')).result, before);
  await worker.execute('prints', { who: 'x' });
  assert.equal(worker.logs().length, 5);
  const { failure } = await worker.execute('strays late');
  assert.match(failure.backtrace[0], /steps\.js/);
  assert.ok(!worker.messages.some(({ method }) => method === 'executor.status'));
});

test('the time zone of a step is not that of the next', async (t) => {
  for (const env of [{ TZ: 'UTC' }, { TZ: undefined }]) {
    const worker = await Worker.ready(t, { env });
    const before = (await worker.execute('hours')).result;
    assert.equal((await worker.execute('moves to Tokyo')).result, 9);
    assert.equal((await worker.execute('hours')).result, before);
  }
});
