'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { Worker } = require('./worker');

// The line of a step.execute whose context is this JSON.
function request(context) {
  return '{"jsonrpc":"2.0","id":"r1","method":"step.execute","params":{"execution_id":"e9","step":{"id":"1","name":"s"},' +
    `"task":{"id":"2","context":${context}},"handler":{"name":"context"}}}`;
}

for (const [what, context, place] of [
  ['a number beyond a double', '{"n":1e400}', 'task.context.n is the number 1e400'],
  ['a number that would become zero', '{"n":-1.5e-400}', 'task.context.n is the number -1.5e-400'],
  ['thousands of digits', `{"a":[{"n":1},{"n, ":"x"},{"x\\"y":${'7'.repeat(5000)}}]}`,
    `task.context.a[2].x"y is the number ${'7'.repeat(20)}... (5000 characters)`],
]) {
  test(`${what} fails the step permanently, and is named`, async (t) => {
    const worker = await Worker.ready(t);
    const { result } = await worker.send(request(context), 'r1');
    assert.deepEqual(result, {
      outcome: 'failure',
      failure: {
        kind: 'permanent', class: 'Tasker::InvalidArguments', backtrace: [],
        message: `the request cannot be read: ${place}, which JavaScript cannot hold`,
      },
    });
    assert.equal((await worker.ask('ping')).in_flight, 0);
  });
}

test('numbers in texts are texts, and those that a double holds are read', async (t) => {
  const worker = await Worker.ready(t);
  const context = { text: '1e400', key: { '1e999': [0e500, 1e300, '"1e400'] }, id: '7'.repeat(5000) };
  const json = JSON.stringify(context).replace('[0,', '[0e500,');
  assert.deepEqual((await worker.send(request(json), 'r1')).result, { outcome: 'success', result: context });
});

test('an integer that is rounded is said, and a deep context is read', async (t) => {
  const worker = await Worker.ready(t);
  const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
  const { result } = await worker.send(request(`{"n":9007199254740993,"deep":${deep}}`), 'r1');
  assert.equal(result.failure.class, 'Tasker::InvalidResult');
  assert.match(worker.logs()[0].message, /^9007199254740993 is beyond 2\^53/);
});

const PARSE = -32700;
const TOO_LARGE = -32007;

for (const [what, line, id, code] of [
  ['no JSON', request('{"n":NaN}'), 'r1', PARSE],
  ['cut off', request('{"n":1').slice(0, -30), 'r1', PARSE],
  ['not UTF-8', Buffer.from(request('{"n":"\xff"}'), 'latin1'), 'r1', PARSE],
  ['too long', request(`{"n":"${'x'.repeat(5 << 20)}"}`), 'r1', TOO_LARGE],
  ['with an id that is not its own', '{"params":{"id":"r1","method":"step.execute"},', null, PARSE],
  ['with an id that is no text', '{"id":7,"method":"ping",', null, PARSE],
  ['garbage', 'Segmentation fault', null, PARSE],
]) {
  test(`a line that is ${what} is answered with ${id ? 'its id' : 'the id null'}`, async (t) => {
    const worker = await Worker.ready(t);
    const { error } = await worker.send(line, id);
    assert.equal(error.code, code);
    assert.equal((await worker.execute('echo', { value: 1 })).result, 1);
  });
}

test('a call whose answer cannot be read fails', async (t) => {
  const worker = await Worker.ready(t, { reply: () => undefined });
  const outcome = worker.execute('calls', { method: 'lease' });
  await worker.said('step.lease');
  const { id } = worker.messages.find(({ method }) => method === 'step.lease');
  worker.send(`{"jsonrpc":"2.0","id":"${id}","result":{"current":nan`, 'never');
  assert.equal((await outcome).result.threw, 'CallFailed');
});
