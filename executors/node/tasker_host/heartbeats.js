'use strict';

const EVERY_MS = 1000;

// Sends the heartbeats of one execution, at most one a second. Heartbeats in between are combined; the last values
// count.
class Heartbeats {
  #send;
  #last = -Infinity;
  #pending;
  #timer;

  constructor(send) {
    this.#send = send;
  }

  // Checks the clock at each beat, because timers do not run while a handler holds the event loop.
  beat(params) {
    this.#pending = { ...this.#pending, ...defined(params) };
    const wait = this.#last + EVERY_MS - performance.now();
    if (wait <= 0) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), wait);
  }

  // Drops what has not been sent yet.
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
