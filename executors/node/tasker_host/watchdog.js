'use strict';

// Looks at the main thread from another one, which is there also while code holds the event loop.
//
// On SIGUSR1 it prints where the code of the host is; Node would open a port for a debugger instead. A file that does not finish
// loading it names to the worker, and ends the process, since nothing else can end such code.

const path = require('node:path');
const { Worker } = require('node:worker_threads');

const RUNNING = Symbol.for('tasker.running');
// Signals and inspector sessions of other threads are Node's own matters. Nothing but this thread gets at them.
const OPTIONS = { env: {}, execArgv: ['--expose-internals', '--no-warnings'], resourceLimits: { maxOldGenerationSizeMb: 32 } };

class Watchdog {
  #thread;
  #over = false;

  // Takes SIGUSR1 in the main thread, which prints what runs. running returns the executions.
  constructor(running) {
    globalThis[RUNNING] = () => describe(running());
    process.on('SIGUSR1', printRunning);
  }

  // Starts the thread and resolves when it is ready: one that starts while a handler closes descriptors can end the process. One
  // that cannot be had leaves the signal where it was. outFd and id are those of the initialize that it may have to answer.
  start(outFd, id) {
    this.#thread = new Worker(path.join(__dirname, 'watchdog_thread.js'), { ...OPTIONS, workerData: { outFd, id } });
    return new Promise((resolve) => {
      const gone = () => {
        this.#over = true;
        resolve();
      };
      this.#thread.on('error', gone);
      this.#thread.on('exit', gone);
      this.#thread.on('message', () => {
        process.off('SIGUSR1', printRunning);
        this.#thread.unref();
        resolve();
      });
    });
  }

  // Says that file, relative to the root, is loaded now, and may take so many milliseconds.
  loads(file, ms) {
    this.#say({ loads: file, ms });
  }

  // Says that no file is loaded.
  loaded() {
    this.#say({});
  }

  #say(message) {
    if (this.#thread && !this.#over) this.#thread.postMessage(message);
  }
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

module.exports = { Watchdog };
