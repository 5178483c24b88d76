'use strict';

// Watches the main thread from another thread, also while code holds the event loop.
//
// On SIGUSR1 it prints the stack of the main thread; Node would open a port for a debugger instead. It reports a file
// that does not finish loading to the worker, and ends the process, because nothing else can end such code.

const path = require('node:path');
const { Worker } = require('node:worker_threads');

const RUNNING = Symbol.for('tasker.running');
// Signals and inspector sessions in threads need internal modules of Node. Only this thread can load them.
const OPTIONS = {
  env: {},
  execArgv: ['--expose-internals', '--no-warnings'],
  resourceLimits: { maxOldGenerationSizeMb: 32 },
};

class Watchdog {
  #thread;
  #ended = false;

  // Handles SIGUSR1 in the main thread until start has finished. running returns the executions.
  constructor(running) {
    globalThis[RUNNING] = () => describe(running());
    process.on('SIGUSR1', printRunning);
  }

  // Starts the thread and resolves when it is ready: a thread that starts while a handler closes descriptors can end
  // the process. If the thread cannot start, the main thread handles the signal. outFd and id are the pipe and the id
  // of the `initialize` request, which the thread may have to answer.
  start(outFd, id) {
    this.#thread = new Worker(path.join(__dirname, 'watchdog_thread.js'), { ...OPTIONS, workerData: { outFd, id } });
    return new Promise((resolve) => {
      const ended = () => {
        this.#ended = true;
        resolve();
      };
      this.#thread.on('error', ended);
      this.#thread.on('exit', ended);
      this.#thread.on('message', () => {
        process.off('SIGUSR1', printRunning);
        this.#thread.unref();
        resolve();
      });
    });
  }

  // Tells the thread that file, relative to the root, is loading and may take ms milliseconds.
  fileLoads(file, ms) {
    this.#send({ loads: file, ms });
  }

  // Tells the thread that no file is loading.
  fileLoaded() {
    this.#send({});
  }

  #send(message) {
    if (this.#thread && !this.#ended) this.#thread.postMessage(message);
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
