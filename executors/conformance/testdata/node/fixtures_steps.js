'use strict';

// Fixtures of what a handler does through its current step.
const { spawn } = require('node:child_process');
const fs = require('node:fs');

const tasker = require('tasker');

const CALLS = {
  'step.lease': async (step) => void (await step.lease()),
  'step.save_checkpoint': async (step) => void (await step.saveCheckpoint({ page: 3 })),
  'step.publish_event': async (step) => void (await step.publishEvent('paid', { amount: 1 })),
  'step.spawn': async (step) => void (await step.spawn([{ name: 'more', handler: 'Fixtures::Echo' }])),
  'tasks.create': async (step) => void (await step.createTask('n', 't', '1.0.0', {})),
  'secrets.get': (step) => step.secret('key'),
};

async function caught(call) {
  try {
    await call();
  } catch (error) {
    if (error instanceof tasker.LeaseLost) return 'LeaseLost';
    throw error;
  }
  return 'none';
}

async function waitForCancel(task, sequence, step) {
  if (step.config && step.config.path) await fs.promises.writeFile(step.config.path, 'started');
  for (;;) {
    step.check();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function asyncWaitForCancel(task, sequence, step) {
  await fs.promises.writeFile(step.config.path, 'started');
  step.check();
  await new Promise((resolve, reject) => step.signal.addEventListener('abort', () => reject(step.signal.reason)));
}

const exclusive = (task, sequence, step) => fs.promises.readFile(step.config.path, 'utf8');
exclusive.exclusive = true;

exports.handlers = !tasker.currentStep ? {} : {
  'Fixtures::WaitForCancel': waitForCancel,
  'Fixtures::AsyncWaitForCancel': asyncWaitForCancel,
  'Fixtures::Callback': (task, sequence, step) => CALLS[step.config.method](step),
  'Fixtures::LeaseThenEffect': async (task, sequence, step) => [
    await caught(() => step.lease()),
    await caught(() => step.publishEvent('paid', {})),
  ],
  'Fixtures::Heartbeat': async (task, sequence, step) => void (await step.heartbeat(0.5, 'half')),
  'Fixtures::Defer': (task, sequence, step) => {
    throw new tasker.Deferred(step.config.seconds, { checkpoint: { page: 3 } });
  },
  'Fixtures::CurrentStep': async (task, sequence, step) => {
    await fs.promises.readFile(step.config.path);
    return tasker.currentStep().config.name;
  },
  'Fixtures::LogInjection': () => tasker.log.info('first\n{"forged":true}'),
  'Fixtures::LeaveChild': (task, sequence, step) => {
    const child = spawn('sleep', ['300'], { detached: step.config.kind === 'daemon', stdio: 'inherit' });
    child.unref();
    return child.pid;
  },
  'Fixtures::Exclusive': exclusive,
};
