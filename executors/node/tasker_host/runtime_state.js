'use strict';

// Globals that a step may replace, for example to capture output or to fake the time, and forget to restore.

const OBJECTS = [
  [console, Object.keys(console).filter((name) => typeof console[name] === 'function')],
  [process, ['env', 'exit', 'emitWarning', 'stdout', 'stderr']],
  [globalThis, ['console', 'Date', 'setTimeout', 'setInterval', 'setImmediate']],
  [globalThis, ['clearTimeout', 'clearInterval', 'clearImmediate']],
  [Error, ['stackTraceLimit', 'prepareStackTrace', 'captureStackTrace']],
];

class RuntimeState {
  #saved;
  #out = process.stdout;
  #err = process.stderr;
  #outWrite = process.stdout.write;
  #errWrite = process.stderr.write;
  #log = console.log;
  #error = console.error;
  #env = process.env;
  #Date = Date;
  #setTimeout = setTimeout;
  #limit = Error.stackTraceLimit;

  // Keeps the current state.
  constructor() {
    const objects = [...OBJECTS, [process.stdout, ['write']], [process.stderr, ['write']]];
    this.#saved = objects.flatMap(([object, names]) => {
      return names.map((name) => [object, name, Object.getOwnPropertyDescriptor(object, name)]);
    });
  }

  // Whether the globals that are replaced most often are unchanged. Called after each step.
  get unchanged() {
    return this.#out.write === this.#outWrite && this.#err.write === this.#errWrite && console.log === this.#log &&
      console.error === this.#error && process.env === this.#env && globalThis.Date === this.#Date &&
      globalThis.setTimeout === this.#setTimeout && Error.stackTraceLimit === this.#limit;
  }

  restore() {
    for (const [object, name, descriptor] of this.#saved) {
      try {
        if (descriptor) Object.defineProperty(object, name, descriptor);
        else delete object[name];
      } catch {
        // the property is not configurable, and stays
      }
    }
  }
}

module.exports = { RuntimeState };
