'use strict';

const { RpcError } = require('./rpc_error');

// The executions that run. There is no queue: the pool refuses what exceeds the capacity.
class Pool {
  #capacity;
  #writer;
  #running = new Map();
  #onEnd;
  #whenIdle;

  // onEnd is called with the id of each execution that has ended, before its response is sent, and the number that
  // still run.
  constructor(capacity, writer, onEnd) {
    this.#capacity = capacity;
    this.#writer = writer;
    this.#onEnd = onEnd;
  }

  // Starts the execution. Throws an RpcError if its id is running already, or if no slot is free.
  start(execution) {
    const { executionId } = execution;
    if (this.#running.has(executionId)) {
      throw new RpcError(RpcError.DUPLICATE, `execution ${executionId} is running`);
    }
    if (this.#running.size >= this.#capacity) {
      throw new RpcError(RpcError.OVERLOADED, `all ${this.#capacity} slots are taken`);
    }
    this.#checkExclusive(execution.handler);
    this.#running.set(executionId, execution);
    execution.start((message) => this.#answer(executionId, message));
  }

  // Asks an execution to stop. An id that is not running is ignored.
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

  // Calls back as soon as no execution runs.
  whenIdle(callback) {
    this.#whenIdle = callback;
    if (this.size === 0) callback();
  }

  // The running executions.
  values() {
    return [...this.#running.values()];
  }

  // Removes the execution, then answers: the worker may send the next request as soon as it reads the response.
  #answer(executionId, message) {
    this.#running.delete(executionId);
    this.#onEnd(executionId, this.size);
    this.#writer.write(message);
    if (this.size === 0) this.#whenIdle?.();
  }

  // Refuses an execution that would share the process with an exclusive one. The worker does not send such an
  // execution.
  #checkExclusive({ exclusive, name }) {
    if (this.size > 0 && exclusive) {
      throw new RpcError(RpcError.OVERLOADED, `${name} runs alone, and other executions are running`);
    }
    const [first] = this.#running.values();
    if (first?.handler.exclusive) throw new RpcError(RpcError.OVERLOADED, `${first.handler.name} runs alone`);
  }
}

module.exports = { Pool };
