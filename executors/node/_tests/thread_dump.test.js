'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { Worker } = require('./worker');

// The thread that takes the signal is there some time after the host is ready, so the signal is repeated.
async function dumped(worker, pattern, everyMs = 300) {
  const again = setInterval(() => worker.signal('SIGUSR1'), everyMs);
  const found = await worker.until(({ stderr }) => pattern.exec(stderr) ?? undefined);
  clearInterval(again);
  return found[0];
}

test('SIGUSR1 prints the frames of a handler that holds the event loop', async (t) => {
  const worker = await Worker.ready(t);
  worker.execute('hangs', {}).catch(() => {});
  await worker.said('step.heartbeat');
  const text = await dumped(worker, /SIGUSR1: running:\n {2}e1 hangs, for \d+ ms\n {2}main thread:\n {4}at hangsForEver \(.*steps\.js:\d+\)/);
  assert.doesNotMatch(worker.stderr, /Debugger listening/);
  assert.ok(text);
});

test('SIGUSR1 prints the steps that wait, and harms none', async (t) => {
  const worker = await Worker.ready(t);
  const outcome = worker.execute('waits', { until: 'signal' });
  await worker.said('step.heartbeat');
  await dumped(worker, /SIGUSR1: running:\n {2}e1 waits, for \d+ ms\n {2}main thread: waits for events/);
  worker.cancel();
  assert.equal((await outcome).outcome, 'cancelled');
  assert.equal(await worker.end(), 0);
});

test('SIGUSR1 while its steps are printed harms none', async (t) => {
  const worker = await Worker.ready(t);
  const outcome = worker.execute('waits', { until: 'signal' });
  await worker.said('step.heartbeat');
  await dumped(worker, /(SIGUSR1: running[^]*){5}/, 5);
  worker.cancel();
  assert.equal((await outcome).outcome, 'cancelled');
  assert.equal(await worker.end(), 0);
});

test('SIGUSR1 as soon as the host runs opens no port', async (t) => {
  const worker = await Worker.ready(t);
  worker.signal('SIGUSR1');
  await worker.until(({ stderr }) => /SIGUSR1: no step is running/.test(stderr));
  assert.doesNotMatch(worker.stderr, /Debugger/);
});
