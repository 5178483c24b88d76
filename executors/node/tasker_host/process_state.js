'use strict';

const { RuntimeState } = require('./runtime_state');

// The events, other than signals, whose listeners can end the process or keep it running.
const EVENTS = new Set([
  'exit', 'rejectionHandled', 'uncaughtException', 'uncaughtExceptionMonitor', 'unhandledRejection', 'warning',
]);

// Restores the state of the process that a handler changes and later steps would see: working directory, umask,
// environment, signal listeners. The state is restored when no step runs. If other steps ran during the change, the
// worker is asked for a new process. Replaced functions and error listeners are only restored: libraries replace them
// at their first use, and would do so again in each new process.
class ProcessState {
  #changed = false;
  #replaced = false;
  #runtime;
  #cwd = process.cwd();
  #env;
  #signals; // listeners by event
  #catchAll; // Node's function that catches all uncaught errors
  #umask = process.umask();
  #writeEnv;
  #chdir = process.chdir;
  #noteSignal = (name) => {
    if (isSignal(name)) this.#changed = true;
    else if (EVENTS.has(name)) this.#replaced = true;
  };
  #setUmask = process.umask;

  // Notes changes from now on. Changes that were made while handlers were loaded stay.
  watch() {
    this.#env = { ...process.env };
    this.#writeEnv = process.env;
    process.env = this.#watched(process.env);
    process.chdir = this.#noting(this.#chdir);
    process.umask = this.#noting(this.#setUmask);
    this.#catchAll = process.setUncaughtExceptionCaptureCallback;
    process.setUncaughtExceptionCaptureCallback = (callback) => {
      this.#replaced = true;
      this.#catchAll.call(process, callback);
    };
    this.#runtime = new RuntimeState();
    this.#signals = new Map(watchedNames().map((name) => [name, process.rawListeners(name)]));
    this.#watchSignals();
  }

  // Called at the end of every execution with the number of those that still run. Returns true if other executions have
  // seen a change, or will see one.
  restore(running) {
    if (running === 0 && (this.#replaced || !this.#runtime.unchanged)) this.#restoreRuntime();
    if (!this.#changed) return false;
    if (running > 0) return true;
    const lasts = !this.#restoreDirectory();
    this.#setUmask.call(process, this.#umask);
    this.#restoreEnv();
    this.#restoreSignals();
    this.#changed = false;
    return lasts;
  }

  #restoreRuntime() {
    this.#runtime.restore();
    this.#catchAll.call(process, null);
    this.#restoreSignals();
    this.#replaced = false;
  }

  // Returns false if the directory does not exist any longer.
  #restoreDirectory() {
    try {
      this.#chdir.call(process, this.#cwd);
      return true;
    } catch {
      return false;
    }
  }

  #restoreEnv() {
    for (const name of Object.keys(this.#writeEnv)) if (!Object.hasOwn(this.#env, name)) delete this.#writeEnv[name];
    for (const [name, value] of Object.entries(this.#env)) {
      if (this.#writeEnv[name] !== value) this.#writeEnv[name] = value;
    }
  }

  // Adds missing listeners first: a signal without a listener would end the process.
  #restoreSignals() {
    for (const [name, before] of this.#signals) {
      for (const listener of before) if (!process.rawListeners(name).includes(listener)) process.on(name, listener);
    }
    for (const name of watchedNames()) {
      if (name === 'exit') continue; // libraries clean up there
      const before = this.#signals.get(name) ?? [];
      for (const listener of process.rawListeners(name)) if (!before.includes(listener)) process.off(name, listener);
    }
    this.#watchSignals();
  }

  // A handler may have removed all listeners, also those of the host.
  #watchSignals() {
    for (const event of ['newListener', 'removeListener']) {
      if (!process.listeners(event).includes(this.#noteSignal)) process.on(event, this.#noteSignal);
    }
  }

  #noting(change) {
    return (...args) => {
      if (args.length > 0) this.#changed = true;
      return change.apply(process, args);
    };
  }

  // A proxy that notes writes costs less than comparing the environment after every step.
  #watched(env) {
    const noting = (change) => (...args) => {
      this.#changed = true;
      return change(...args);
    };
    return new Proxy(env, {
      defineProperty: noting(Reflect.defineProperty),
      deleteProperty: noting(Reflect.deleteProperty),
      set: noting((target, name, value) => Reflect.set(target, name, value)),
    });
  }
}

function watchedNames() {
  return process.eventNames().filter((name) => isSignal(name) || EVENTS.has(name));
}

function isSignal(name) {
  return typeof name === 'string' && name.startsWith('SIG');
}

module.exports = { ProcessState };
