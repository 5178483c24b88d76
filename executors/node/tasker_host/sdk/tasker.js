'use strict';

// What handlers may use, as `require('tasker')` in CommonJS and as `globalThis.tasker` everywhere.
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
// A class is made anew for every execution, as `new Handler({ config })` with the template's handler_config.
//
// The returned value becomes the step's results; undefined is null. It must be JSON: objects, arrays, strings, finite
// numbers, booleans and null. Dates become ISO 8601 strings, sets become arrays, undefined members of objects are left
// out; anything else that JSON.stringify would lose or change (NaN, BigInt, Map, Buffer, functions) fails the step for
// good with the class Tasker::InvalidResult.
//
// JavaScript has no integers beyond 2^53: larger ones in a task's context or a step's results arrive rounded, and the
// worker's log says so. Pass them as strings.
//
// Anything thrown fails the attempt, and the step is retried up to its limit. The two classes below say more.

// Fails the attempt and asks for the next one after retryAfter seconds.
class RetryableError extends Error {
  constructor(message, { retryAfter, context, ...options } = {}) {
    super(message, options);
    this.name = 'RetryableError';
    this.retryAfter = retryAfter;
    this.context = context;
  }
}

// Fails the step for good: it is not retried, whatever its limit.
class PermanentError extends Error {
  constructor(message, { errorCode, context, ...options } = {}) {
    super(message, options);
    this.name = 'PermanentError';
    this.errorCode = errorCode;
    this.context = context;
  }
}

// The host puts `log` here: log.debug, info, warn and error(message, attrs) reach the worker's log with the step that
// they belong to.
module.exports = { PermanentError, RetryableError };
