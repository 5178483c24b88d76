'use strict';

// Replays the transcripts that every host's tests replay: sends the worker's lines and compares what the host says.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const { test } = require('node:test');

const { HOST } = require('./worker');

const TESTDATA = path.join(__dirname, '..', '..', 'conformance', 'testdata');
const TRANSCRIPTS = path.join(TESTDATA, 'transcripts');

// Compares a message with what is wanted, member by member. Members that are not named may be there. found takes the id
// of a call of the host, which the worker's answer has.
function compare(want, got, place, found) {
  if (want === '<any>') return;
  if (want === '<call>') {
    assert.equal(typeof got, 'string', place);
    found(got);
  } else if (want === '<number>') assert.equal(typeof got, 'number', place);
  else if (want === '<text>') assert.ok(typeof got === 'string' && got !== '', place);
  else if (want === null || typeof want !== 'object') assert.equal(got, want, place);
  else compareMembers(want, got, place, found);
}

function compareMembers(want, got, place, found) {
  assert.ok(got !== null && typeof got === 'object', place);
  if (Array.isArray(want)) assert.equal(got.length, want.length, place);
  for (const [name, value] of Object.entries(want)) {
    if (value === '<absent>') assert.ok(!Object.hasOwn(got, name), `${place}.${name}`);
    else compare(value, got[name], `${place}.${name}`, found);
  }
}

async function replay(host, entries) {
  const [toHost, fromHost] = host.stdio.slice(3);
  const lines = messages(fromHost);
  let call;
  for (const { from, message, end } of entries) {
    if (from === 'worker' && end) toHost.end();
    else if (from === 'worker') {
      const text = JSON.stringify(message).replace('"<root>"', JSON.stringify(path.join(TESTDATA, 'node')));
      toHost.write(`${text.replace('"<call>"', JSON.stringify(call))}\n`);
    } else if (end) assert.deepEqual(await lines.next(), { done: true, value: undefined });
    else compare(message, (await lines.next()).value, 'message', (id) => (call = id));
  }
}

// What the host says, log records aside.
async function* messages(stream) {
  for await (const line of readline.createInterface({ input: stream })) {
    const message = JSON.parse(line);
    if (message.method !== 'log') yield message;
  }
}

for (const file of fs.readdirSync(TRANSCRIPTS)) {
  test(`the transcript ${file}`, async (t) => {
    const env = { ...process.env, TASKER_PROTOCOL: '1', TASKER_RPC_IN_FD: '3', TASKER_RPC_OUT_FD: '4' };
    const host = spawn(process.execPath, [HOST], { env, stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    t.after(() => host.kill('SIGKILL'));
    const exited = new Promise((resolve) => host.on('exit', resolve));
    const lines = fs.readFileSync(path.join(TRANSCRIPTS, file), 'utf8').trim().split('\n');
    await replay(host, lines.map((line) => JSON.parse(line)));
    assert.equal(await exited, 0);
  });
}
