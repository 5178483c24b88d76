'use strict';

const { RpcError } = require('./rpc_error');

// The executions that run now. There is no queue: what exceeds the limit is refused.
class Pool {
  #limit;
  #writer;
  #running = new Map();
  #onEnd;
  #whenIdle;

  // onEnd is called with the id of every execution that has ended, before its answer leaves, and how many still run.
  constructor(limit, writer, onEnd) {
    this.#limit = limit;
    this.#writer = writer;
    this.#onEnd = onEnd;
  }

  // Starts the execution; throws an RpcError when its id is running already or the limit is reached.
  start(execution) {
    const { executionId } = execution;
    if (this.#running.has(executionId)) {
      throw new RpcError(RpcError.DUPLICATE, `execution ${executionId} is running`);
    }
    if (this.#running.size >= this.#limit) {
      throw new RpcError(RpcError.OVERLOADED, `all ${this.#limit} places are taken`);
    }
    this.#checkAlone(execution.handler);
    this.#running.set(executionId, execution);
    execution.start((message) => this.#answer(executionId, message));
  }

  // Tells an execution to stop. One that is not running has nothing to be told.
  cancel(executionId, reason, graceMs) {
    this.#running.get(executionId)?.cancel(reason, graceMs);
  }

  get size() {
    return this.#running.size;
  }

  // Milliseconds since the oldest running execution started, or undefined.
  get oldestMs() {
    const [oldest] = this.#running.values(); // a Map keeps the order of insertion
    return oldest && Math.round(performance.now() - oldest.started);
  }

  // Calls back as soon as nothing runs.
  whenIdle(callback) {
    this.#whenIdle = callback;
    if (this.size === 0) callback();
  }

  // The running executions.
  values() {
    return [...this.#running.values()];
  }

  // Forgotten before answered: the worker may send the next one as soon as it reads the answer.
  #answer(executionId, message) {
    this.#running.delete(executionId);
    this.#onEnd(executionId, this.size);
    this.#writer.write(message);
    if (this.size === 0) this.#whenIdle?.();
  }

  // The worker sends an exclusive handler to an idle process; there is no queue here to correct it.
  #checkAlone({ exclusive, name }) {
    if (this.size > 0 && exclusive) throw new RpcError(RpcError.OVERLOADED, `${name} runs alone, others are running`);
    const [first] = this.#running.values();
    if (first?.handler.exclusive) throw new RpcError(RpcError.OVERLOADED, `${first.handler.name} runs alone`);
  }
}

module.exports = { Pool };
