'use strict';

const os = require('node:os');
const path = require('node:path');
const { Worker } = require('node:worker_threads');

const REASONS = require('./cancel_reasons');

const PROGRAM = path.join(__dirname, 'cpu_thread.js');

// The threads that handlers with `cpu` run in, one execution each. As many as there are processors stay warm.
class CpuThreads {
  #settings;
  #warm = [];

  // settings are the root of the handlers and the calls that the worker offers.
  constructor(settings) {
    this.#settings = settings;
  }

  acquire() {
    return this.#warm.pop() ?? new CpuThread(this.#settings, (thread) => this.#remove(thread));
  }

  release(thread) {
    if (this.#warm.length < os.availableParallelism()) this.#warm.push(thread);
    else thread.terminate();
  }

  #remove(thread) {
    this.#warm = this.#warm.filter((warm) => warm !== thread);
  }
}

// One thread, and the execution in it.
class CpuThread {
  #worker;
  #reason = new Int32Array(new SharedArrayBuffer(4));
  #execution;
  #error;

  constructor(settings, onExit) {
    this.#worker = new Worker(PROGRAM, { workerData: { ...settings, reason: this.#reason } });
    this.#worker.on('message', (message) => this.#execution?.take(message));
    this.#worker.on('error', (error) => {
      this.#error = error;
    });
    this.#worker.on('exit', (code) => {
      onExit(this);
      this.#execution?.threadEnded(code, this.#error);
    });
  }

  run(execution, job) {
    Atomics.store(this.#reason, 0, 0);
    this.#execution = execution;
    this.#worker.postMessage({ job });
  }

  // The thread has answered and is free.
  detach() {
    this.#execution = undefined;
  }

  cancel(reason, graceMs) {
    Atomics.store(this.#reason, 0, Math.max(REASONS.indexOf(reason), 0) + 1);
    this.#worker.postMessage({ cancel: reason, graceMs });
  }

  reply(call, response) {
    this.#worker.postMessage({ call, response });
  }

  terminate() {
    this.#worker.terminate();
  }
}

module.exports = { CpuThreads };
