'use strict';

// What something thrown means for the attempt.

const failure = require('./failure');
const { Cancelled, Deferred } = require('./sdk/tasker');
const { plainArgument } = require('./result_json');

const CHECKPOINT = { maxBytes: 64 * 1024, maxDepth: 60 };

// The members of the answer of an execution in which error was thrown. checkpoint is the last that it saved.
function of(error, { cancelled, checkpoint }) {
  try {
    if (error instanceof Deferred) {
      return { outcome: 'deferred', resume_after_ms: Math.round(error.resumeAfter * 1000), checkpoint: left(error, checkpoint) };
    }
    if (cancelled && isCancellation(error)) return { outcome: 'cancelled', checkpoint: left(error, checkpoint) };
  } catch (unfit) {
    return { outcome: 'failure', failure: failure.of(unfit) };
  }
  return { outcome: 'failure', failure: failure.of(error) };
}

// What an execution that was cancelled throws: our error, or what Node's own functions make of an aborted signal.
function isCancellation(error) {
  return error instanceof Cancelled || error?.name === 'AbortError' || error?.cause instanceof Cancelled;
}

function left(error, saved) {
  const { checkpoint } = error;
  return checkpoint == null ? saved : plainArgument('checkpoint', checkpoint, CHECKPOINT);
}

module.exports = { of };
