'use strict';

// What handlers may use: `require('tasker')` in CommonJS, `import { PermanentError } from 'tasker'` in ES modules.
//
// A handler is an exported function, or an exported class with a method `process`; both may be async:
//
//   const { PermanentError } = require('tasker');
//
//   exports.process = async (task, sequence, step) => {
//     const cart = sequence.findStepByName('validate_cart').results;
//     if (cart.total <= 0) throw new PermanentError('nothing to charge', { errorCode: 'EMPTY_CART' });
//     return { charged: cart.total, order_id: task.context.order_id };
//   };
//
// A class is instantiated for every execution, as `new Handler({ config })` with the template's handler_config. A
// handler with a true property `exclusive` runs alone in its process, one with `cpu` in a thread of its own.
//
// The returned value becomes the step's results; undefined is null. It must be JSON: objects, arrays, strings, finite
// numbers, booleans and null. Dates become ISO 8601 strings, sets become arrays, what has a toJSON becomes what that
// returns, undefined members of objects are left out; anything else that JSON.stringify would lose or change (NaN,
// BigInt, Map, Buffer, functions, promises, generators, objects without enumerable members) fails the step permanently
// with the class Tasker::InvalidResult and the place: result.items[3].
//
// JavaScript has no integers beyond 2^53: larger ones in a task's context or a step's results arrive rounded, and the
// worker logs a warning. Pass them as strings.
//
// Anything thrown fails the attempt, and the step is retried up to its limit. The classes below are more specific.

// Fails the attempt and asks for the next one after retryAfter seconds, or at a Date.
class RetryableError extends Error {
  constructor(message, { retryAfter, context, ...options } = {}) {
    super(message, options);
    this.name = 'RetryableError';
    this.retryAfter = retryAfter;
    this.context = context;
  }
}

// Fails the step permanently: it is not retried, whatever its limit.
class PermanentError extends Error {
  constructor(message, { errorCode, context, ...options } = {}) {
    super(message, options);
    this.name = 'PermanentError';
    this.errorCode = errorCode;
    this.context = context;
  }
}

// Ends the attempt without a failure and without counting it: the step runs again after resumeAfter seconds.
class Deferred extends Error {
  constructor(resumeAfter, { checkpoint } = {}) {
    super(`deferred for ${resumeAfter} s`);
    if (typeof resumeAfter !== 'number' || !(resumeAfter >= 0 && resumeAfter < Infinity)) {
      throw new TypeError(`Deferred takes the seconds to wait, not ${String(resumeAfter)}`);
    }
    this.name = 'Deferred';
    this.resumeAfter = resumeAfter;
    this.checkpoint = checkpoint;
  }
}

// The worker asked the step to stop, for reason `timeout`, `user`, `lease_lost` or `shutdown`. Thrown by step.check(),
// and what step.signal aborts with. A handler may throw its own, to leave a checkpoint for the next attempt.
class Cancelled extends Error {
  constructor(reason = 'user', { checkpoint, ...options } = {}) {
    super(`the step was cancelled: ${reason}`, options);
    this.name = 'Cancelled';
    this.reason = reason;
    this.checkpoint = checkpoint;
  }
}

// The step is no longer this attempt's: another may be running. Nothing that it does now counts, so it must stop.
class LeaseLost extends Error {
  constructor(message = 'another attempt may be running this step', options) {
    super(message, options);
    this.name = 'LeaseLost';
  }
}

// The worker does not allow this handler what it asked for. Retrying does not help.
class NotPermitted extends PermanentError {
  constructor(message, options) {
    super(message, options);
    this.name = 'NotPermitted';
  }
}

// The worker offers no such call, or could not serve it in time.
class CallFailed extends Error {
  constructor(message, { code, ...options } = {}) {
    super(message, options);
    this.name = 'CallFailed';
    this.code = code;
  }
}

// What the host has put in place: without a host there is no current step, and log records are printed.
const host = { log: console, step: () => undefined };

// The third argument of the handler that the running code belongs to, or undefined.
function currentStep() {
  return host.step();
}

// Records that carry the step that they belong to.
const log = {
  debug: (message, attrs) => host.log.debug(message, attrs),
  info: (message, attrs) => host.log.info(message, attrs),
  warn: (message, attrs) => host.log.warn(message, attrs),
  error: (message, attrs) => host.log.error(message, attrs),
};

module.exports = {
  CallFailed, Cancelled, Deferred, LeaseLost, NotPermitted, PermanentError, RetryableError, currentStep, log,
};
Object.defineProperty(module.exports, 'host', { value: host }); // the host's own, hidden from handlers
