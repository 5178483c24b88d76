'use strict';

const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');

const { folder } = require('./folder');
const { Worker } = require('./worker');

test('ES modules import the SDK, and it is the same for all', async (t) => {
  const worker = await Worker.ready(t, { handlers: path.join(__dirname, 'modules') });
  assert.deepEqual(worker.description.load_errors, []);
  assert.deepEqual((await worker.execute('module')).result, { ready: 'awaited', same: true, all: 'Deferred' });
  const { failure } = await worker.execute('module.fails');
  assert.deepEqual([failure.kind, failure.retry_after_ms], ['retryable', 2000]);
  assert.equal((await worker.execute('common')).result, true);
});

const IMPORTS = 'import { PermanentError } from "tasker"; export default () => PermanentError.name;';

test('ES modules in .js are served, whatever package.json says, and so are helpers that are required late', async (t) => {
  const handlers = folder(t, {
    'typed/package.json': '{"type":"module"}', 'typed/a.js': IMPORTS, 'typed/top.js': `await 1; ${IMPORTS}`,
    'none/a.js': IMPORTS, 'none/top.js': `await 1; ${IMPORTS}`, 'a.js': `#!/usr/bin/env node\n${IMPORTS}`,
    'none/uses.js': 'import { name } from "./_lib.js"; export default () => name;',
    'none/_lib.js': 'import tasker from "tasker"; export const { name } = tasker.PermanentError;',
    'typed/no/package.json': '{}', 'typed/no/a.js': IMPORTS,
    'common/a.js': '/* import x\nexport y */ module.exports = () => require("./_lib").late();',
    'common/_lib.js': 'exports.late = async () => (await import("tasker")).PermanentError.name;',
  });
  const worker = await Worker.ready(t, { handlers });
  assert.deepEqual(worker.description.load_errors, []);
  const names = worker.description.handlers.map(({ name }) => name);
  assert.deepEqual(names, ['a', 'common.a', 'none.a', 'none.top', 'none.uses', 'typed.a', 'typed.no.a', 'typed.top']);
  for (const name of names) assert.equal((await worker.execute(name)).result, 'PermanentError', name);
});

test('a helper finds the SDK when a step is the first to require it', async (t) => {
  const handlers = folder(t, {
    'a.js': 'exports.process = () => require("./_lib").late();',
    '_lib.js': 'exports.late = async () => (await import("tasker")).PermanentError.name;',
  });
  const worker = await Worker.ready(t, { handlers });
  const both = await Promise.all([worker.execute('a'), worker.execute('a', {}, { execution_id: 'e2' })]);
  assert.deepEqual(both.map(({ result }) => result), ['PermanentError', 'PermanentError']);
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
