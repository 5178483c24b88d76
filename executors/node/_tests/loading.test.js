'use strict';

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const { test } = require('node:test');

const { folder } = require('./folder');
const { Worker } = require('./worker');

const GOOD = 'module.exports = () => "served";';

function names({ description }) {
  return description.handlers.map(({ name }) => name);
}

// The file, class and message of everything that could not be loaded.
function problems({ description }) {
  return description.load_errors.map(({ file, class: kind, message }) => `${file}: ${kind}: ${message}`);
}

const TIMING = { startup_timeout_ms: 8000 }; // a file may take half of it

test('a file that does not finish loading is reported, and the other files are served', (t) => Promise.all([
  ['waits.mjs', 'export default () => 1; await new Promise(() => {});'],
  ['waits.mjs', 'setInterval(() => {}, 10); await new Promise(() => {});'],
  ['waits.mjs', 'import "./_waits.mjs"; export default () => 1;'],
].map(async ([file, text]) => {
  const handlers = folder(t, { [file]: text, '_waits.mjs': 'await new Promise(() => {});', 'good.js': GOOD, 'zoo/last.js': GOOD });
  const worker = await Worker.ready(t, { handlers, timing: TIMING });
  assert.match(problems(worker)[0], /^waits.mjs: Tasker::LoadTimeout: loading the file took more than \d\.\d s/);
  assert.equal(problems(worker).length, 1);
  assert.deepEqual(names(worker), ['good', 'zoo.last']);
  assert.equal((await worker.execute('good')).result, 'served');
})));

test('a file that holds the process is named to the worker, which has the next one skip it', (t) => Promise.all([
  ['bad.js', 'function spins() {\n  for (;;);\n}\nspins();', /^at spins \(.*bad\.js:2\)$/],
  ['bad.mjs', 'await 1;\nfor (;;);\nexport default () => 1;', /bad\.mjs:2\)$/],
  ['bad.js', 'require("node:child_process").execSync("exec sleep 20", { stdio: "ignore" });', undefined],
].map(async ([file, text, frame]) => {
  const handlers = folder(t, { [file]: text, 'good.js': GOOD });
  const first = new Worker();
  t.after(() => first.kill());
  const error = await first.initialize({ handlers, timing: TIMING }).catch((thrown) => thrown);
  assert.equal(error.code, -32004);
  const { file: named, class: kind, message, backtrace } = error.data.load_error;
  assert.deepEqual([named, kind], [file, 'Tasker::LoadTimeout']);
  assert.match(message, /^loading the file took more than \d\.\d s/);
  if (frame) assert.match(backtrace[0], frame);
  assert.equal(await first.exited, 'SIGKILL');
  assert.match(first.stderr, /cannot load bad\.m?js/);

  const next = await Worker.ready(t, { handlers, timing: TIMING, skip: [file] });
  assert.deepEqual([names(next), problems(next)], [['good'], []]);
})));

const SLOW = 'await new Promise((done) => setTimeout(done, 300)); export default () => 1;'; // the other files fail meanwhile

for (const [how, text, problem] of [
  ['throws in a timer', 'setTimeout(() => { throw new TypeError("late"); }, 10);', 'a.js: TypeError: late'],
  ['leaves a promise that fails', 'Promise.reject(new TypeError("late"));', 'a.js: TypeError: late'],
  ['exits in a callback', 'setImmediate(() => process.exit(3));',
    'a.js: SystemExit: process.exit(3) in a file that is loaded, outside of any step'],
]) {
  test(`a file that ${how} while other files load is reported, and they are served`, async (t) => {
    const handlers = folder(t, { 'a.js': `exports.process = () => 1; ${text}`, 'b.mjs': SLOW });
    const worker = await Worker.ready(t, { handlers });
    assert.deepEqual([problems(worker), names(worker)], [[problem], ['b']]);
  });

  test(`a file that ${how} soon after costs no step, and the worker is asked for a process without it`, async (t) => {
    const later = `setTimeout(() => { ${text} }, 300);`;
    const handlers = folder(t, { 'a.js': `exports.process = () => 1; ${later}`, 'good.js': GOOD });
    const worker = await Worker.ready(t, { handlers });
    assert.deepEqual(problems(worker), []);
    const { state, reason, load_error: error } = await worker.said('executor.status');
    assert.deepEqual([state, reason], ['recycle_me', 'a.js threw after it was loaded']);
    assert.equal(`${error.file}: ${error.class}: ${error.message}`, problem);
    assert.equal((await worker.execute('good')).result, 'served');
  });
}

test('a file that waits for itself is not waited for when it throws', async (t) => {
  const handlers = folder(t, { 'a.mjs': 'setTimeout(() => { throw new TypeError("late"); }, 10); await new Promise(() => {});' });
  assert.deepEqual(problems(await Worker.ready(t, { handlers })), ['a.mjs: TypeError: late']);
});

test('a file is what its path leads to, and what is skipped is said', async (t) => {
  const outside = folder(t, { 'pay.js': GOOD, 'shop/refund.js': GOOD });
  const handlers = folder(t, {
    'real.js': GOOD,
    'a_link.js': { link: 'real.js' },
    'pay.js': { link: `${outside}/pay.js` },
    'twice.js': { link: `${outside}/pay.js` },
    'shop': { link: `${outside}/shop` },
    'gone.js': { link: 'nowhere.js' },
    'circle.js': { link: 'circle.js' },
    'notes.txt': { link: 'nowhere.txt' },
    '_private.js': { link: 'nowhere.js' },
  });
  const worker = await Worker.ready(t, { handlers });
  assert.deepEqual([names(worker), problems(worker)], [['pay', 'real'], []]);
  const said = worker.logs().map(({ level, message }) => `${level}: ${message}`);
  assert.deepEqual(said.sort(), [
    'warn: node/a_link.js is not loaded: it is the same file as real.js',
    'warn: node/circle.js is not loaded: it is a link that leads nowhere',
    'warn: node/gone.js is not loaded: it is a link that leads nowhere',
    'warn: node/shop is not loaded: it is a link to a folder, and those are not followed',
    'warn: node/twice.js is not loaded: it is the same file as pay.js',
  ]);
});

// The priority of the thread that loads the file is so low that another program gets most of the processor.
const STARVED = 'require("node:os").setPriority(10); const at = process.cpuUsage(); while (process.cpuUsage(at).user < 200_000);';
const onOneProcessor = process.platform === 'linux' && spawnSync('taskset', ['-c', '0', 'true']).status === 0;

test('a file that waits for the processor gets more time', { skip: !onOneProcessor }, async (t) => {
  const busy = spawn('taskset', ['-c', '0', process.execPath, '-e', 'for (;;);']);
  t.after(() => busy.kill('SIGKILL'));
  const handlers = folder(t, { 'good.js': `${STARVED}${GOOD}` });
  const worker = await Worker.ready(t, { handlers, timing: { startup_timeout_ms: 2000 }, through: ['taskset', '-c', '0'] });
  assert.deepEqual([names(worker), problems(worker)], [['good'], []]);
});
