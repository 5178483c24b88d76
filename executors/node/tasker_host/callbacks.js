'use strict';

// Requests of one execution to the worker.

const { CallFailed, LeaseLost, NotPermitted } = require('./sdk/tasker');

const STALE_LEASE = -32020;
const NOT_PERMITTED = -32021;
const RATE_LIMITED = -32022;
const UNAVAILABLE = -32023;

const RETRY_MS = 100;
const RETRY_MS_MAX = 2000;

// Sends a request of the execution and resolves to its result. If the worker is busy, the request is repeated until the
// step's deadline. A cancel ends the wait.
async function call(execution, method, params) {
  execution.checkCall(method);
  for (let pause = RETRY_MS; ; pause = Math.min(2 * pause, RETRY_MS_MAX)) {
    const { result, error } = await execution.wait(execution.request(method, params), method);
    if (!error) return result;
    await execution.pause(pauseAfter(error, pause, execution, method), method);
  }
}

// How long to wait before the request is repeated. Throws the handler's error if repeating does not help.
function pauseAfter({ code, message, data }, pause, execution, method) {
  switch (code) {
    case STALE_LEASE:
      throw execution.loseClaim(new LeaseLost());
    case NOT_PERMITTED:
      throw new NotPermitted(`${method} is not permitted: ${message}`, { errorCode: 'not_permitted' });
    case RATE_LIMITED:
      return wholeMs(data?.retry_after_ms) ?? RETRY_MS_MAX;
    case UNAVAILABLE:
      return pause;
    default:
      throw new CallFailed(`${method} failed: ${message} (${code})`, { code });
  }
}

function wholeMs(value) {
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

module.exports = { call };
