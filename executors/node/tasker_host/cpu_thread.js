'use strict';

// The program of a thread that runs cpu handlers, one after the other.

const fs = require('node:fs');
const { parentPort, workerData } = require('node:worker_threads');

const REASONS = require('./cancel_reasons');
const { Execution } = require('./execution');
const { handlerIn } = require('./loader');
const { Log } = require('./log');
const { capture } = require('./output');
const tasker = require('./sdk/tasker');
const sdkResolution = require('./sdk_resolution');
const uncaughtErrors = require('./uncaught_errors');

const SCHEDULER = '/proc/thread-self/schedstat'; // begins with the CPU time of this thread in nanoseconds

// The worker client of a thread. The main thread forwards its messages.
class ThreadClient {
  #pending = new Map();
  #lastCall = 0;
  #cpuNs = 0;

  offers(method) {
    return workerData.offered.includes(method);
  }

  notify(method, params) {
    parentPort.postMessage({ notify: method, params });
  }

  printed(execution, texts) {
    log.prints(execution, texts);
  }

  request(method, params) {
    const call = ++this.#lastCall;
    parentPort.postMessage({ call, method, params });
    return new Promise((resolve) => this.#pending.set(call, resolve));
  }

  handleResponse(call, response) {
    this.#pending.get(call)?.(response);
    this.#pending.delete(call);
  }

  cancelReason() {
    return REASONS[Atomics.load(workerData.reason, 0) - 1];
  }

  startClock() {
    this.#cpuNs = cpuNs();
  }

  // The metadata of the attempt: its CPU time.
  metadata() {
    const ns = cpuNs() - this.#cpuNs;
    return Number.isFinite(ns) ? { cpu_ms: Math.round(ns / 1e6) } : undefined;
  }
}

function cpuNs() {
  try {
    return Number(fs.readFileSync(SCHEDULER, 'utf8').split(' ')[0]);
  } catch {
    return NaN; // another system than Linux
  }
}

const client = new ThreadClient();
const log = new Log({ congested: false, flush() {}, notify: client.notify }); // the main thread sends
let running;

async function run({ requestId, params, limits, file, name }) {
  const answer = (message) => {
    running = undefined;
    parentPort.postMessage({ answer: message });
  };
  const failing = (error) => ({ call: () => Promise.reject(error) });
  const handler = await handlerIn(workerData.root, file, name).catch(failing);
  running = new Execution(requestId, params, handler, limits, client);
  client.startClock();
  running.start(answer);
}

tasker.host.log = log;
tasker.host.step = () => Execution.current()?.step;
sdkResolution.forRequire();
capture(log);
uncaughtErrors.watch((code) => process.exit(code));
parentPort.on('message', ({ job, cancel, graceMs, call, response }) => {
  if (job) run(job);
  else if (response) client.handleResponse(call, response);
  else running?.cancel(cancel, graceMs);
});
