'use strict';

const os = require('node:os');
const path = require('node:path');
const { Worker } = require('node:worker_threads');

const REASONS = require('./cancel_reasons');

const PROGRAM = path.join(__dirname, 'cpu_thread.js');

// The threads in which handlers with `cpu` run, one execution each. As many idle threads as processors are kept.
class CpuThreads {
  #settings;
  #idle = [];

  // settings are the root of the handlers and the methods that the worker offers.
  constructor(settings) {
    this.#settings = settings;
  }

  acquire() {
    return this.#idle.pop() ?? new CpuThread(this.#settings, (thread) => this.#remove(thread));
  }

  release(thread) {
    if (this.#idle.length < os.availableParallelism()) this.#idle.push(thread);
    else thread.terminate();
  }

  #remove(thread) {
    this.#idle = this.#idle.filter((idle) => idle !== thread);
  }
}

// One thread and its execution.
class CpuThread {
  #worker;
  #reason = new Int32Array(new SharedArrayBuffer(4));
  #execution;
  #error;

  constructor(settings, onExit) {
    this.#worker = new Worker(PROGRAM, { workerData: { ...settings, reason: this.#reason } });
    this.#worker.on('message', (message) => this.#execution?.receive(message));
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

  // Removes the execution after the thread has answered.
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
