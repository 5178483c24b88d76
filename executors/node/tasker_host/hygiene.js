'use strict';

// What a handler changes about the process would be seen by all later steps: the folder it works in, its umask, its
// environment, its handlers of signals. It is put back when nothing runs; a step that ran beside the change may have suffered already, so then
// the worker is asked for a new process.
class Hygiene {
  #changed = false;
  #cwd = process.cwd();
  #env;
  #umask = process.umask();
  #writeEnv;
  #chdir = process.chdir;
  #setUmask = process.umask;
  #signals;
  #noteSignal = (name) => {
    if (String(name).startsWith('SIG')) this.#changed = true;
  };

  // Watches from now on. What was changed before, while handlers were loaded, stays.
  watch() {
    this.#env = { ...process.env };
    this.#writeEnv = process.env;
    process.env = this.#watched(process.env);
    process.chdir = this.#noting(this.#chdir);
    process.umask = this.#noting(this.#setUmask);
    this.#signals = signalHandlers();
    this.#watchSignals();
  }

  // Called at the end of every execution with the number of those that still run. Returns true when others saw a change.
  tidy(running) {
    if (!this.#changed) return false;
    if (running > 0) return true;
    this.#chdir.call(process, this.#cwd);
    this.#setUmask.call(process, this.#umask);
    this.#restoreEnv();
    this.#restoreSignals();
    this.#changed = false;
    return false;
  }

  #restoreEnv() {
    for (const name of Object.keys(this.#writeEnv)) if (!Object.hasOwn(this.#env, name)) delete this.#writeEnv[name];
    for (const [name, value] of Object.entries(this.#env)) if (this.#writeEnv[name] !== value) this.#writeEnv[name] = value;
  }

  #watchSignals() {
    for (const event of ['newListener', 'removeListener']) {
      if (!process.listeners(event).includes(this.#noteSignal)) process.on(event, this.#noteSignal);
    }
  }

  #restoreSignals() {
    for (const [name, handlers] of signalHandlers()) {
      for (const handler of handlers) if (!this.#signals.get(name)?.includes(handler)) process.removeListener(name, handler);
    }
    for (const [name, handlers] of this.#signals) {
      for (const handler of handlers) if (!process.listeners(name).includes(handler)) process.on(name, handler);
    }
    this.#watchSignals();
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

function signalHandlers() {
  const names = process.eventNames().filter((name) => String(name).startsWith('SIG'));
  return new Map(names.map((name) => [name, process.listeners(name)]));
}

module.exports = { Hygiene };
