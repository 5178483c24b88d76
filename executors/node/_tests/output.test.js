'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { Worker } = require('./worker');

const WANT = [
  ['info', 'stdout', 'of WHO { a: 1 }'],
  ['error', 'stderr', 'wrong\nindeed'],
  ['info', 'stdout', 'half a line'],
  ['info', 'stderr', 'warned'],
  ['info', 'stdout', 'rest'],
];

test('what steps print is logged with each of them, though they run at once', async (t) => {
  const worker = await Worker.ready(t);
  const who = ['e1', 'e2', 'e3'];
  const outcomes = await Promise.all(who.map((id) => worker.execute('prints', { who: id }, { execution_id: id })));
  assert.deepEqual(outcomes.map(({ result }) => result), [true, true, true]);
  for (const id of who) {
    const records = worker.logs().filter(({ execution_id: execution }) => execution === id);
    const got = records.map(({ level, logger, message }) => [level, logger, message.replace(id, 'WHO')]);
    assert.deepEqual(got, WANT);
  }
  assert.equal(worker.stdout + worker.stderr, '');
});

test('a flood of lines holds up no answer and costs bounded memory', async (t) => {
  const worker = await Worker.ready(t);
  worker.stopReading();
  const outcome = worker.execute('floods');
  setTimeout(() => worker.startReading(), 300);
  assert.equal((await outcome).result, 'done');
  await worker.execute('prints', { who: 'x' });
  const records = worker.logs();
  assert.ok(records.length < 10_000, 'nothing was dropped');
  assert.equal(records.length - 5 + records.reduce((sum, { dropped = 0 }) => sum + dropped, 0), 10_000);
});

test('a rejection that nobody awaits fails the step that it belongs to', async (t) => {
  const worker = await Worker.ready(t);
  const { failure } = await worker.execute('strays late');
  assert.equal(failure.message, 'nobody awaits me');
});

test('text that a timer of a step prints after its end belongs to the step, also an incomplete character', async (t) => {
  const worker = await Worker.ready(t);
  await worker.execute('prints late', { text: 'secret of e1' }, { execution_id: 'e1' });
  const second = worker.execute('waits', { until: 'signal' }, { execution_id: 'e2' });
  const late = await worker.until(() => worker.logs().find(({ message }) => message === 'secret of e1'));
  assert.equal(late.execution_id, 'e1');
  worker.cancel('e2');
  await second;
  await worker.execute('prints', { who: 'e3' }, { execution_id: 'e3' });
  const messages = worker.logs().filter(({ execution_id: id }) => id === 'e3').map(({ message }) => message.replace('e3', 'WHO'));
  assert.deepEqual(messages, WANT.map(([, , message]) => message));
  assert.equal(worker.stdout, '');
});
