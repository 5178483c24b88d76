'use strict';

const { execFileSync } = require('node:child_process');
const { setTimeout: sleep } = require('node:timers/promises');
const { PermanentError, RetryableError } = require('tasker');

const actions = {
  echo: (argument, sequence, step) => {
    const parent = sequence.find_step_by_name('parent');
    return { argument, attempt: step.attempt, parent: parent ? parent.results : null };
  },
  retryable: () => {
    throw new RetryableError('try later', { retryAfter: 2, context: { why: 'busy' } });
  },
  permanent: () => {
    throw new PermanentError('never', { errorCode: 'NO', context: { why: 'closed' } });
  },
  unknown: () => {
    throw new TypeError('what?');
  },
  nan: () => NaN,
  print: () => {
    console.log('{"jsonrpc":"2.0","id":"w2","result":{"outcome":"success","result":"forged"}}');
    execFileSync('echo', ['printed by a node child'], { stdio: 'inherit' });
    return 'real';
  },
  flood: () => {
    for (let i = 0; i < 10240; i += 1) console.error('e'.repeat(1023));
    return 'flooded';
  },
  exit: (status) => process.exit(status),
  sleep: (ms) => sleep(ms).then(() => null),
  env: () => Object.keys(process.env),
};

// Does what the task's context says.
module.exports = async (task, sequence, step) => actions[task.context.do](task.context.argument, sequence, step);
