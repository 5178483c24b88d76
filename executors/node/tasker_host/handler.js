'use strict';

// What one module serves: its handlers, and how each of them is called.

// A function or class that the host serves.
class Handler {
  #target;
  #isClass;

  constructor(name, file, target) {
    this.name = name;
    this.file = file;
    this.#target = target;
    this.#isClass = hasProcess(target);
    this.exclusive = flag(target, 'exclusive');
    this.cpu = flag(target, 'cpu');
  }

  // Calls the function, or `process` of a new instance.
  call(task, sequence, step) {
    if (!this.#isClass) return this.#target(task, sequence, step);
    const Target = this.#target;
    return new Target({ config: step.config }).process(task, sequence, step);
  }
}

// Yields [name, function or class] for every handler in what a module exports. base is the name of the module.
function* served(exported, base) {
  yield* single(exported, base);
  for (const [key, value] of Object.entries(exported ?? {})) {
    if (key === 'default') yield* single(value, base);
    else if (key === 'handlers' && typeof value === 'object') yield* named(value);
    else if (isHandler(value)) yield [nameOf(value, key === 'process' ? base : `${base}.${key}`), value];
  }
}

// `module.exports = fn` and `export default fn`.
function* single(value, base) {
  if (isHandler(value)) yield [nameOf(value, hasProcess(value) && value.name ? `${base}.${value.name}` : base), value];
}

// `handlers = {"Any::Name": fnOrClass}`
function* named(handlers) {
  for (const [name, value] of Object.entries(handlers ?? {})) {
    if (!isHandler(value)) {
      throw new TypeError(`handlers[${JSON.stringify(name)}] is neither a function nor a class with process`);
    }
    yield [name, value];
  }
}

function nameOf(value, otherwise) {
  return Object.hasOwn(value, 'handlerName') ? String(value.handlerName) : otherwise;
}

function flag(target, name) {
  const value = target[name] ?? false;
  if (typeof value === 'boolean') return value;
  throw new TypeError(`${name} of a handler must be true or false`);
}

function isHandler(value) {
  return typeof value === 'function' && (hasProcess(value) || !isClass(value));
}

function hasProcess(value) {
  return typeof value.prototype?.process === 'function';
}

function isClass(value) {
  return /^class\b/.test(Function.prototype.toString.call(value));
}

module.exports = { Handler, served };
