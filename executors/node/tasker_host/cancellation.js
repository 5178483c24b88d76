'use strict';

// Whether an execution has been told to stop, and who waits for that.
class Cancellation {
  #controller;
  #waiting;

  // Why, as an error, or undefined.
  error;

  get signal() {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.error) this.#controller.abort(this.error);
    }
    return this.#controller.signal;
  }

  // Ends every wait with error. The first error stays.
  end(error) {
    if (this.error) return;
    this.error = error;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.forEach((reject) => reject(error));
    this.#controller?.abort(error);
  }

  // Settles like promise, or rejects when the execution is told to stop or after ms. One that was told to stop already
  // may still wait: it has work to save.
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
