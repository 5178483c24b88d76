'use strict';

const { isMainThread, threadId } = require('node:worker_threads');

const tasker = require('tasker');

function spin(ms) {
  const ends = performance.now() + ms;
  while (performance.now() < ends);
}

const HANDLERS = {
  where: () => ({ isMainThread, threadId, step: tasker.currentStep().name }),
  spins: (task, sequence, step) => {
    step.heartbeat(0.1);
    spin(step.config.ms);
    return 'spun';
  },
  watches: (task, sequence, step) => {
    step.heartbeat(0.1);
    for (;;) step.check();
  },
  saves: async (task, sequence, step) => {
    await step.saveCheckpoint({ rows: 9 });
    spin(600_000);
  },
  asks: async (task, sequence, step) => {
    console.log('asking');
    process.stderr.write('asked\n');
    return { lease: await step.lease(), checkpoint: step.checkpoint };
  },
  fails: () => {
    throw new tasker.PermanentError('no such number', { errorCode: 'NONE' });
  },
  unfit: () => NaN,
  exits: () => process.exit(3),
  exhausts: () => {
    for (const hoard = []; ; ) hoard.push(new Array(100_000).fill(hoard.length));
  },
};

for (const [name, handler] of Object.entries(HANDLERS)) exports[name] = Object.assign(handler, { cpu: true });
