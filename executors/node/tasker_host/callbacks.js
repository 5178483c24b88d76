'use strict';

// Calls that a handler makes to the worker.

const { CallFailed, LeaseLost, NotPermitted } = require('./sdk/tasker');

const STALE_LEASE = -32020;
const NOT_PERMITTED = -32021;
const RATE_LIMITED = -32022;
const UNAVAILABLE = -32023;

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2000;

// The result of method, asked for in the name of execution. A worker that is busy is asked again until the step's
// deadline; a cancel ends the wait.
async function call(execution, method, params) {
  execution.mayCall(method);
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    const { result, error } = await execution.wait(execution.request(method, params), method);
    if (!error) return result;
    await execution.pause(pauseAfter(error, pause, execution, method), method);
  }
}

// How long to wait before asking again; throws what the handler shall see when asking again does not help.
function pauseAfter({ code, message, data }, pause, execution, method) {
  switch (code) {
    case STALE_LEASE:
      throw execution.loseClaim(new LeaseLost());
    case NOT_PERMITTED:
      throw new NotPermitted(`${method} is not permitted: ${message}`, { errorCode: 'not_permitted' });
    case RATE_LIMITED:
      return wholeMs(data?.retry_after_ms) ?? LONGEST_PAUSE_MS;
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
