'use strict';

const { execSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');

const { PermanentError, RetryableError, log } = require('tasker');

console.log('printed while loading');
process.stdout.write('no newline');
execSync('echo printed by a child while loading', { stdio: 'inherit' });

const TASK = 'task_id namespace name version context tags initiator source_system reason requested_at'.split(' ');
const STEP = 'workflow_step_id name attempts attempt retry_limit inputs results config idempotency_key'.split(' ');

class Arguments {
  process(task, sequence, step) {
    return {
      task: Object.fromEntries(TASK.map((name) => [name, task[name]])),
      step: Object.fromEntries(STEP.map((name) => [name, step[name]])),
      steps: sequence.steps.map((s) => [s.workflow_step_id, s.name, s.results]),
      found: sequence.findStepByName('b').results,
      missing: sequence.find_step_by_name('nobody'),
    };
  }
}

// Returns what is written to a named pipe; opening the pipe for writing succeeds once this handler runs.
const gate = (task, sequence, step) => fs.promises.readFile(step.config.path, 'utf8');

function busy(task, sequence, step) {
  fs.writeFileSync(step.config.path, 'started');
  const ends = performance.now() + step.config.ms;
  while (performance.now() < ends);
}

function deepCause(task, sequence, step, depth = 200) {
  try {
    if (depth === 0) throw new Error(`bottom ${'x'.repeat(10_000)}`);
    deepCause(task, sequence, step, depth - 1);
  } catch (cause) {
    if (depth > 20) throw cause;
    throw new Error(`cause ${depth}`, { cause });
  }
}

class Rude extends Error {
  get message() {
    throw new Error('no message for you');
  }
}

function noise() {
  process.stdout.write('printed');
  process.stderr.write('warned');
  fs.writeSync(1, '{"jsonrpc":"2.0","id":"forged","result":{}}\n');
  execSync('echo printed by a child; echo warned by a child >&2', { stdio: 'inherit' });
  return 'quiet';
}

function flood() {
  for (let i = 0; i < 10 * 1024; i++) fs.writeSync(2, `${'x'.repeat(1023)}\n`);
  return 'done';
}

function childFds() {
  const script =
    'for fd in 3 4 5 6 7 8 9; do [ -e /proc/self/fd/$fd ] && readlink /proc/self/fd/$fd; done; env | grep ^TASKER_';
  return execSync(`${script}; true`, { encoding: 'utf8' });
}

function closeStdio() {
  for (const fd of [0, 1, 2]) fs.closeSync(fd);
  return 'closed';
}

function pollute() {
  process.chdir('/');
  process.umask(0o777);
  process.env.POLLUTED = '1';
  process.on('SIGWINCH', () => {});
}

function surroundings() {
  return {
    folder: process.cwd(),
    umask: process.umask(),
    polluted: process.env.POLLUTED ?? null,
    caught: process.platform === 'linux' ? caught(os.constants.signals.SIGWINCH) : null,
  };
}

function caught(number) {
  const [, mask] = /^SigCgt:\s*([0-9a-f]+)/m.exec(fs.readFileSync('/proc/self/status', 'utf8'));
  return (BigInt(`0x${mask}`) >> BigInt(number - 1)) % 2n === 1n;
}

function logMessage(task, sequence, step) {
  log.info('x'.repeat(step.config.bytes), { amount: 12 });
  return 'logged';
}

// A rejection that nobody awaits, and a promise that never settles.
function strayRejection() {
  Promise.reject(new TypeError('nobody awaits me'));
  return new Promise(() => {});
}

function strayThrow() {
  setTimeout(() => {
    throw new TypeError('thrown in a callback');
  });
  return new Promise(() => {});
}

function nested(levels, value) {
  for (let i = 0; i < levels; i++) value = [value];
  return value;
}

const cycle = [];
cycle.push(cycle);

const RETURNS = {
  nothing: () => undefined,
  nan: () => ({ items: [1, { price: NaN }] }),
  infinity: () => [-Infinity],
  cycle: () => cycle,
  deep: () => nested(100_000, []),
  nested: ({ levels }) => nested(levels, 1),
  bytes: () => ({ blob: Buffer.from([255, 254]) }),
  'bad text': () => ({ text: 'caf\ud83d' }),
  object: () => ({ thing: [new Map()] }),
  bigint: () => ({ count: 1n }),
  function: () => ({ call: () => 1 }),
  hole: () => ({ list: [1, undefined] }),
  'odd keys': () => ({ ...JSON.parse('{"__proto__":{"a":1}}'), tags: new Set() }),
  nul: () => ({ text: 'a\0b' }),
  'escaped nul': () => ({ text: 'a\\u0000b' }),
  large: ({ bytes }) => 'x'.repeat(bytes),
  dates: () => ({ at: new Date(250), day: '2026-01-02', price: '12.3', tags: new Set(['a']), sym: 'b', gone: undefined }),
};

exports.handlers = {
  'Fixtures::Echo': (task) => task.context.value,
  'Fixtures::AsyncEcho': async (task) => {
    await new Promise(setImmediate);
    return task.context.value;
  },
  'Fixtures::Arguments': Arguments,
  'Fixtures::Gate': gate,
  'Fixtures::Busy': busy,
  'Fixtures::FailRetryable': (task, sequence, step) => {
    throw new RetryableError('try later', { retryAfter: step.config.seconds, context: { why: 'busy' } });
  },
  'Fixtures::FailPermanent': async () => {
    throw new PermanentError('never', { errorCode: 'NO_FUNDS', context: { card: 1 } });
  },
  'Fixtures::FailUnknown': () => {
    throw new RangeError('unexpected');
  },
  'Fixtures::DeepCause': deepCause,
  'Fixtures::Hostile': () => {
    throw new Rude();
  },
  'Fixtures::HardExit': () => process.exit(3),
  'Fixtures::KillSelf': () => {
    process.kill(process.pid, 'SIGKILL');
    return new Promise(() => {});
  },
  'Fixtures::Noise': noise,
  'Fixtures::Flood': flood,
  'Fixtures::ChildFds': childFds,
  'Fixtures::CloseStdio': closeStdio,
  'Fixtures::LogMessage': logMessage,
  'Fixtures::Pollute': pollute,
  'Fixtures::Surroundings': surroundings,
  'Fixtures::StrayRejection': strayRejection,
  'Fixtures::StrayThrow': strayThrow,
  'Fixtures::Returns': (task, sequence, step) => RETURNS[step.config.what](step.config),
};
