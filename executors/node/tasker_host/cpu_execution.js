'use strict';

const outcome = require('./outcome');

const STOP_MS = 1000; // in which a thread stops by itself, or half of the grace if that is less

// The thread of a cpu handler has ended while the handler ran.
class ThreadEnded extends Error {
  static name = 'Tasker::ThreadEnded';
}

// One execution in a thread. The host treats it like an Execution; the Execution is in the thread.
class CpuExecution {
  #requestId;
  #params;
  #limits;
  #client;
  #threads;
  #thread;
  #answer;
  #checkpoint;
  #cancelled = false;
  #stop;

  constructor(requestId, params, handler, limits, client, threads) {
    this.executionId = params.execution_id;
    this.started = performance.now();
    this.handler = handler;
    this.#requestId = requestId;
    this.#params = params;
    this.#limits = limits;
    this.#client = client;
    this.#threads = threads;
  }

  start(answer) {
    this.#answer = answer;
    this.#thread = this.#threads.acquire();
    const { file, name } = this.handler;
    this.#thread.run(this, { requestId: this.#requestId, params: this.#params, limits: this.#limits, file, name });
  }

  // Asks the handler to stop. If it does not check step.cancelled, its thread is terminated.
  cancel(reason = 'user', graceMs = 0) {
    if (!this.#answer || this.#cancelled) return;
    this.#cancelled = true;
    this.#thread.cancel(reason, graceMs);
    this.#stop = setTimeout(() => this.#thread.terminate(), Math.min(STOP_MS, graceMs / 2));
  }

  // Handles a message of the thread.
  receive({ answer, notify, call, method, params }) {
    if (answer !== undefined) this.#end(answer);
    else if (notify !== undefined) this.#client.notify(notify, params);
    else this.#request(call, method, params);
  }

  threadEnded(code, error) {
    const why = error ? error.message : `it exited with code ${code}`;
    const thrown = this.#cancelled
      ? Object.assign(new Error('stopped'), { name: 'AbortError' })
      : new ThreadEnded(`the thread of the handler ended: ${why}`, { cause: error });
    const described = outcome.of(thrown, { cancelled: this.#cancelled, checkpoint: this.#checkpoint });
    this.#finish(`{"jsonrpc":"2.0","id":${JSON.stringify(this.#requestId)},"result":${JSON.stringify(described)}}`);
  }

  #request(call, method, params) {
    if (method === 'step.save_checkpoint') this.#checkpoint = params.checkpoint;
    this.#client.request(method, params).then((response) => this.#thread.reply(call, response));
  }

  #end(answer) {
    clearTimeout(this.#stop); // otherwise it would stop the next execution
    this.#thread.detach();
    this.#threads.release(this.#thread);
    this.#finish(answer);
  }

  #finish(message) {
    clearTimeout(this.#stop);
    const answer = this.#answer;
    this.#answer = undefined;
    answer?.(message);
  }
}

module.exports = { CpuExecution };
