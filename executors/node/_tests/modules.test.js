'use strict';

const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');

const { Worker } = require('./worker');

test('ES modules import the SDK, and it is the same for all', async (t) => {
  const worker = await Worker.ready(t, { handlers: path.join(__dirname, 'modules') });
  assert.deepEqual(worker.description.load_errors, []);
  assert.deepEqual((await worker.execute('module')).result, { ready: 'awaited', same: true, all: 'Deferred' });
  const { failure } = await worker.execute('module.fails');
  assert.deepEqual([failure.kind, failure.retry_after_ms], ['retryable', 2000]);
  assert.equal((await worker.execute('common')).result, true);
});

test('TypeScript runs, or is reported by name with what to do', async (t) => {
  const worker = await Worker.ready(t, { handlers: path.join(__dirname, 'typescript') });
  assert.equal((await worker.execute('both')).result, 'compiled');
  if (process.features.typescript) {
    assert.deepEqual((await worker.execute('typed.typed')).result, {});
    return;
  }
  const [error, ...more] = worker.description.load_errors;
  assert.deepEqual(more, []);
  assert.deepEqual([error.file, error.class], ['typed.ts', 'Tasker::NoTypeScript']);
  assert.match(error.message, /use Node 22.18 or newer/);
});
