'use strict';

// The host as a client of the worker: sends notifications, printed text and requests, and routes each response to its
// request.
class WorkerClient {
  #writer;
  #log;
  #offered = new Set();
  #pending = new Map();
  #lastId = 0;

  constructor(writer, log) {
    this.#writer = writer;
    this.#log = log;
  }

  // Sets the methods that the worker offers.
  set offered(methods) {
    this.#offered = new Set(methods);
  }

  get offered() {
    return [...this.#offered];
  }

  offers(method) {
    return this.#offered.has(method);
  }

  // Sends a notification at once. A handler that holds the event loop would otherwise delay it.
  notify(method, params) {
    this.#writer.notify(method, params);
    this.#writer.flush();
  }

  printed(execution, texts) {
    this.#log.prints(execution, texts);
  }

  // Resolves to the {result} or {error} of the worker's response. The execution ends the wait for a response that does
  // not arrive, and forget removes the request.
  request(method, params) {
    const id = `x${++this.#lastId}`;
    this.#writer.request(id, method, params);
    return new Promise((resolve) => {
      this.#pending.set(id, { executionId: params.execution_id, resolve });
    });
  }

  // Returns whether a request with the id of the response was pending.
  handleResponse({ id, result, error }) {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.resolve(error ? { error } : { result });
    return pending !== undefined;
  }

  // Removes the pending requests of an execution that has ended.
  forget(executionId) {
    if (this.#pending.size === 0) return;
    for (const [id, pending] of this.#pending) if (pending.executionId === executionId) this.#pending.delete(id);
  }
}

module.exports = { WorkerClient };
