'use strict';

// The outcome of an attempt in which an error was thrown.

const failure = require('./failure');
const { plainArgument } = require('./result_json');
const { Cancelled, Deferred } = require('./sdk/tasker');

const CHECKPOINT = { maxBytes: 64 * 1024, maxDepth: 60 };

// The result of the response. checkpoint is the last one that the execution saved.
function of(error, { cancelled, checkpoint }) {
  try {
    if (error instanceof Deferred) {
      const resumeAfterMs = Math.round(error.resumeAfter * 1000);
      return { outcome: 'deferred', resume_after_ms: resumeAfterMs, checkpoint: checkpointOf(error, checkpoint) };
    }
    if (cancelled && isCancellation(error)) {
      return { outcome: 'cancelled', checkpoint: checkpointOf(error, checkpoint) };
    }
  } catch (unfit) {
    return { outcome: 'failure', failure: failure.of(unfit) };
  }
  return { outcome: 'failure', failure: failure.of(error) };
}

// Whether error means a cancel: an error of `tasker`, or what Node's functions throw for an aborted signal.
function isCancellation(error) {
  return error instanceof Cancelled || error?.name === 'AbortError' || error?.cause instanceof Cancelled;
}

function checkpointOf(error, saved) {
  const { checkpoint } = error;
  return checkpoint == null ? saved : plainArgument('checkpoint', checkpoint, CHECKPOINT);
}

module.exports = { of };
