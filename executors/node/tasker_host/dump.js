'use strict';

// On SIGUSR1 the host prints where its code is. Node would open a port for a debugger instead.
//
// The signal is taken in a thread, so that it is taken while a handler holds the event loop too; the thread looks at the
// main one through Node's inspector, which opens no port for that.

const path = require('node:path');
const { Worker } = require('node:worker_threads');

const RUNNING = Symbol.for('tasker.running');

// Takes the signal from the main thread, which prints what runs. running returns the executions.
function watch(running) {
  globalThis[RUNNING] = () => describe(running());
  process.on('SIGUSR1', printRunning);
}

// Takes the signal in a thread, and resolves when that is ready: a thread that starts while a handler closes descriptors can end
// the process. One that cannot be had leaves the signal where it was.
function watchFromThread() {
  const thread = new Worker(path.join(__dirname, 'dump_thread.js'), { env: {}, resourceLimits: { maxOldGenerationSizeMb: 32 } });
  return new Promise((resolve) => {
    thread.on('error', resolve);
    thread.on('exit', resolve);
    thread.on('message', () => {
      process.off('SIGUSR1', printRunning);
      thread.unref();
      resolve();
    });
  });
}

function printRunning() {
  process.stderr.write(`tasker host: SIGUSR1: ${globalThis[RUNNING]()}\n`);
}

function describe(executions) {
  if (executions.length === 0) return 'no step is running';
  const lines = executions.map(({ executionId, handler, started }) => {
    const where = handler.cpu ? ' in a thread' : '';
    return `\n  ${executionId} ${handler.name}${where}, for ${Math.round(performance.now() - started)} ms`;
  });
  return `running:${lines.join('')}`;
}

module.exports = { watch, watchFromThread };
