'use strict';

const assert = require('node:assert/strict');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const { Worker } = require('./worker');

const reference = (name, text) => ({
  path: name, bytes: Buffer.byteLength(text), sha256: createHash('sha256').update(text).digest('hex'),
});

function folder(t) {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'payload-'));
  t.after(() => fs.rmSync(made, { recursive: true }));
  return made;
}

const INSIDE = {
  step: { id: '1', name: 's' }, task: { id: '2', context: { big: 'é'.repeat(10_000) } }, handler: { name: 'context' },
};

test('a large result goes by file', async (t) => {
  const worker = await Worker.ready(t, { payloadFiles: true });
  const scratch = folder(t);
  const { result_file: file, result } = await worker.execute('large', { bytes: 3 << 20 }, { scratch_dir: scratch });
  assert.equal(result, undefined);
  const text = fs.readFileSync(path.join(scratch, file.path), 'utf8');
  assert.deepEqual(file, reference(file.path, text));
  assert.equal(JSON.parse(text).length, 3 << 20);
  assert.equal(fs.statSync(path.join(scratch, file.path)).mode & 0o777, 0o600);
});

test('a result is too large where files are not agreed on, and at 64 MiB', async (t) => {
  const without = await Worker.ready(t);
  assert.equal((await without.execute('large', { bytes: 3 << 20 }, { scratch_dir: folder(t) })).failure.class, 'Tasker::ResultTooLarge');
  const worker = await Worker.ready(t, { payloadFiles: true, limits: { max_file_bytes: 2 << 20 } });
  assert.equal((await worker.execute('large', { bytes: 3 << 20 }, { scratch_dir: folder(t) })).failure.class, 'Tasker::ResultTooLarge');
});

test('params are read from a file', async (t) => {
  const worker = await Worker.ready(t, { payloadFiles: true });
  const scratch = folder(t);
  const text = JSON.stringify(INSIDE);
  fs.writeFileSync(path.join(scratch, 'params.json'), text);
  const answer = await worker.ask('step.execute', {
    execution_id: 'e1', scratch_dir: scratch, params_file: reference('params.json', text),
  });
  assert.deepEqual(answer.result, INSIDE.task.context);
});

test('a params file that is not what was announced is refused', async (t) => {
  const worker = await Worker.ready(t, { payloadFiles: true });
  const scratch = folder(t);
  const text = JSON.stringify(INSIDE);
  fs.writeFileSync(path.join(scratch, 'params.json'), text);
  fs.symlinkSync('params.json', path.join(scratch, 'link'));
  const good = reference('params.json', text);
  for (const wrong of [
    { ...good, path: 'link' }, { ...good, path: '../params.json' }, { ...good, path: '.' }, { ...good, path: 'none' },
    { ...good, bytes: 1 }, { ...good, sha256: '00' }, 'params.json', {},
  ]) {
    const params = { execution_id: 'e1', scratch_dir: scratch, params_file: wrong };
    await assert.rejects(worker.ask('step.execute', params), { code: -32602 }, JSON.stringify(wrong));
  }
});
