'use strict';

const { RuntimeState } = require('./runtime_state');

// Beside signals, the events whose listeners decide what becomes of the process.
const EVENTS = new Set(['exit', 'rejectionHandled', 'uncaughtException', 'uncaughtExceptionMonitor', 'unhandledRejection', 'warning']);

// What a handler changes about the process would be seen by all later steps: the folder it works in, its umask, its
// environment, what it does on a signal. It is put back when nothing runs; a step that ran beside the change may have
// suffered already, so then the worker is asked for a new process. Replaced functions and listeners of errors are put back
// only: libraries do that when they are first used, and would do it again in each new process.
class ProcessState {
  #changed = false;
  #loose = false;
  #runtime;
  #cwd = process.cwd();
  #env;
  #signals; // listeners by event
  #catchAll; // Node's way to take all errors that nothing caught
  #umask = process.umask();
  #writeEnv;
  #chdir = process.chdir;
  #noteSignal = (name) => {
    if (isSignal(name)) this.#changed = true;
    else if (EVENTS.has(name)) this.#loose = true;
  };
  #setUmask = process.umask;

  // Watches from now on. What was changed before, while handlers were loaded, stays.
  watch() {
    this.#env = { ...process.env };
    this.#writeEnv = process.env;
    process.env = this.#watched(process.env);
    process.chdir = this.#noting(this.#chdir);
    process.umask = this.#noting(this.#setUmask);
    this.#catchAll = process.setUncaughtExceptionCaptureCallback;
    process.setUncaughtExceptionCaptureCallback = (callback) => {
      this.#loose = true;
      this.#catchAll.call(process, callback);
    };
    this.#runtime = new RuntimeState();
    this.#signals = new Map(watchedNames().map((name) => [name, process.rawListeners(name)]));
    this.#watchSignals();
  }

  // Called at the end of every execution with the number of those that still run. Returns true when others saw a change,
  // or will.
  restore(running) {
    if (running === 0 && (this.#loose || !this.#runtime.same)) this.#putBack();
    if (!this.#changed) return false;
    if (running > 0) return true;
    const stays = !this.#goBack();
    this.#setUmask.call(process, this.#umask);
    this.#restoreEnv();
    this.#restoreSignals();
    this.#changed = false;
    return stays;
  }

  #putBack() {
    this.#runtime.restore();
    this.#catchAll.call(process, null);
    this.#restoreSignals();
    this.#loose = false;
  }

  // The folder may be gone.
  #goBack() {
    try {
      this.#chdir.call(process, this.#cwd);
      return true;
    } catch {
      return false;
    }
  }

  #restoreEnv() {
    for (const name of Object.keys(this.#writeEnv)) if (!Object.hasOwn(this.#env, name)) delete this.#writeEnv[name];
    for (const [name, value] of Object.entries(this.#env)) if (this.#writeEnv[name] !== value) this.#writeEnv[name] = value;
  }

  // What is missing is added first, so that no signal finds nobody and ends the process.
  #restoreSignals() {
    for (const [name, before] of this.#signals) {
      for (const listener of before) if (!process.rawListeners(name).includes(listener)) process.on(name, listener);
    }
    for (const name of watchedNames()) {
      if (name === 'exit') continue; // libraries clean up there what they made
      const before = this.#signals.get(name) ?? [];
      for (const listener of process.rawListeners(name)) if (!before.includes(listener)) process.off(name, listener);
    }
    this.#watchSignals();
  }

  // A handler may have removed all listeners, ours too.
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

  // To notice writes costs less than to compare after every step.
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
