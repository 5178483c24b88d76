'use strict';

const EVERY_MS = 1000;

// The heartbeats of one execution, at most one a second. Those in between are combined: the last word counts.
class Heartbeats {
  #send;
  #last = -Infinity;
  #pending;
  #timer;

  constructor(send) {
    this.#send = send;
  }

  // A handler that holds the event loop gets no timers, so every beat looks at the clock.
  beat(params) {
    this.#pending = { ...this.#pending, ...defined(params) };
    const wait = this.#last + EVERY_MS - performance.now();
    if (wait <= 0) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), wait);
  }

  // Forgets what is not sent yet.
  stop() {
    clearTimeout(this.#timer);
  }

  #flush() {
    const params = this.#pending;
    clearTimeout(this.#timer);
    this.#timer = this.#pending = undefined;
    this.#last = performance.now();
    this.#send(params);
  }
}

function defined(params) {
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined));
}

module.exports = { Heartbeats };
