'use strict';

// Whether an execution is cancelled, and the waits that a cancel ends.
class Cancellation {
  #controller;
  #waiting;

  // The reason as an error, or undefined.
  error;

  get signal() {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.error) this.#controller.abort(this.error);
    }
    return this.#controller.signal;
  }

  // Ends all waits with error. Only the first call has an effect.
  end(error) {
    if (this.error) return;
    this.error = error;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.forEach((reject) => reject(error));
    this.#controller?.abort(error);
  }

  // Settles like promise, or rejects when the execution is cancelled or after ms. A wait that begins after the cancel
  // is not ended by it: the execution may be saving its work.
  async wait(promise, ms, late) {
    let ended;
    const end = new Promise((resolve, reject) => {
      ended = reject;
    });
    const timer = setTimeout(() => ended(late()), Math.max(ms, 0));
    if (!this.error) (this.#waiting ??= new Set()).add(ended);
    try {
      return await Promise.race([promise, end]);
    } finally {
      clearTimeout(timer);
      this.#waiting?.delete(ended);
    }
  }
}

module.exports = { Cancellation };
