'use strict';

const { RpcError } = require('./rpc_error');

// The executions that run now. There is no queue: what exceeds the limit is refused.
class Executions {
  #limit;
  #writer;
  #running = new Map();
  #whenIdle;

  constructor(limit, writer) {
    this.#limit = limit;
    this.#writer = writer;
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
    this.#running.set(executionId, execution);
    execution.start((message) => this.#answer(executionId, message));
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

  // Forgotten before answered: the worker may send the next one as soon as it reads the answer.
  #answer(executionId, message) {
    this.#running.delete(executionId);
    this.#writer.write(message);
    if (this.size === 0) this.#whenIdle?.();
  }
}

module.exports = { Executions };
