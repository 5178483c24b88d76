'use strict';

// The load error of a file that does not finish loading. The main thread reports it, or the watchdog thread.

const LOAD_TIMEOUT = 'Tasker::LoadTimeout';

function tookTooLong(ms) {
  return `loading the file took more than ${(ms / 1000).toFixed(1)} s: a module should not wait for anything`;
}

module.exports = { LOAD_TIMEOUT, tookTooLong };
