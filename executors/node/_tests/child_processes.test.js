'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { folder } = require('./folder');
const { Worker } = require('./worker');

const FORGED = JSON.stringify({ jsonrpc: '2.0', id: 'w2', result: { outcome: 'success', result: 'forged' } });

// Handlers that start children, which say what they may say: an answer on every descriptor that could be the worker's.
const CHILD = `
  const fs = require('node:fs');
  for (const fd of [3, 4, 5, 6, 7, 8, 9]) try { fs.writeSync(fd, ${JSON.stringify(`${FORGED}\n`)}); } catch {}
`;
const HANDLERS = {
  '_child.js': CHILD,
  'forks.js': `
    const { fork } = require('node:child_process');
    exports.process = () => new Promise((resolve) => {
      fork(require.resolve('./_child')).on('exit', () => resolve('parent'));
    });`,
  'spawns.js': `
    const { spawn } = require('node:child_process');
    exports.process = () => new Promise((resolve) => {
      spawn(process.execPath, [require.resolve('./_child')], { stdio: 'inherit' }).on('exit', () => resolve('parent'));
    });`,
  'clusters.js': `
    const cluster = require('node:cluster');
    exports.process = () => new Promise((resolve) => {
      cluster.fork().on('exit', (code) => resolve(cluster.isPrimary && 'parent, child ' + code));
    });`,
  'hands.js': `
    const { spawn } = require('node:child_process');
    exports.process = () => {
      const stdio = ['ignore', 'inherit', 'inherit', 'inherit', 'inherit'];
      spawn(process.execPath, [require.resolve('./_child')], { stdio });
    };`,
};

for (const [handler, want] of [['forks', 'parent'], ['spawns', 'parent'], ['clusters', 'parent, child 64']]) {
  test(`a child of a handler that ${handler} does not answer for the step`, async (t) => {
    const worker = await Worker.ready(t, { handlers: folder(t, HANDLERS) });
    assert.deepEqual(await worker.execute(handler), { outcome: 'success', result: want });
    assert.deepEqual(worker.messages, []);
    assert.equal((await worker.execute('forks')).result, 'parent');
  });
}

test('a worker of node:cluster prints why it cannot run', async (t) => {
  const worker = await Worker.ready(t, { handlers: folder(t, HANDLERS) });
  await worker.execute('clusters');
  assert.match(worker.stderr, /tasker host: a handler called cluster\.fork\(\), .*setupPrimary/);
});

test('a child cannot be handed the descriptors of the worker', async (t) => {
  const worker = await Worker.ready(t, { handlers: folder(t, HANDLERS) });
  const { failure } = await worker.execute('hands');
  assert.match(failure.message, /^file descriptor 3 leads to the worker/);
  assert.match(failure.backtrace[0], /hands\.js/);
});
