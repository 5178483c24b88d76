'use strict';

// The way from an execution to the worker: notifications, printed text, and calls that the worker answers.
class Link {
  #writer;
  #log;
  #offered = new Set();
  #pending = new Map();
  #lastId = 0;

  constructor(writer, log) {
    this.#writer = writer;
    this.#log = log;
  }

  // Names the methods that the worker offers.
  offer(methods) {
    this.#offered = new Set(methods);
  }

  get offered() {
    return [...this.#offered];
  }

  offers(method) {
    return this.#offered.has(method);
  }

  // Sent at once: a handler that holds the event loop would keep it for itself.
  notify(method, params) {
    this.#writer.notify(method, params);
    this.#writer.flush();
  }

  printed(execution, texts) {
    this.#log.prints(execution, texts);
  }

  // Resolves to the {result} or {error} of the worker's answer. An answer that never comes is not waited for for ever:
  // the callers are told to stop by their execution, and forgotten with it.
  request(method, params) {
    const id = `x${++this.#lastId}`;
    this.#writer.request(id, method, params);
    return new Promise((resolve) => {
      this.#pending.set(id, { executionId: params.execution_id, resolve });
    });
  }

  // Takes a response; returns whether somebody waited for it.
  settle({ id, result, error }) {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.resolve(error ? { error } : { result });
    return pending !== undefined;
  }

  // Forgets the calls of an execution that has ended.
  forget(executionId) {
    if (this.#pending.size === 0) return;
    for (const [id, pending] of this.#pending) if (pending.executionId === executionId) this.#pending.delete(id);
  }
}

module.exports = { Link };
