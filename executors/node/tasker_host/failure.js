'use strict';

// What something thrown means for the step, as the worker records it. Everything in it is bounded.

const { PermanentError, RetryableError } = require('./sdk/tasker');
const { TooLarge, Unacceptable, plain } = require('./result_json');
const { clip } = require('./text');

const MESSAGE_BYTES = 4096;
const FRAME_BYTES = 500;
const FRAMES = 100;
const CAUSES = 5;
const CAUSE_FRAMES = 20;
const DETAILS = { maxBytes: 64 * 1024, maxDepth: 60 };
const HOST_FOLDER = `${__dirname}/`;

// The failure of an attempt in which error was thrown.
function of(error) {
  try {
    return describeFailure(error);
  } catch (unexpected) {
    // Errors are users' code too, and may throw when asked what they are. There is always an answer.
    const message = `an error that cannot be described: ${clip(unexpected, FRAME_BYTES)}`;
    return { kind: 'retryable', class: 'Error', message, backtrace: [] };
  }
}

function describeFailure(error) {
  if (error instanceof TooLarge) return unacceptable('Tasker::ResultTooLarge', error);
  if (error instanceof Unacceptable) return unacceptable('Tasker::InvalidResult', error);
  const failure = { kind: 'retryable', ...description(error, FRAMES), cause: cause(error) };
  if (error instanceof RetryableError) {
    failure.retry_after_ms = milliseconds(error.retryAfter);
    failure.details = details(error.context);
  }
  if (error instanceof PermanentError) {
    failure.kind = 'permanent';
    failure.code = error.errorCode == null ? undefined : clip(error.errorCode, FRAME_BYTES);
    failure.details = details(error.context);
  }
  return failure;
}

// The failure of a step whose request cannot be read.
function ofRequest(message) {
  return unacceptable('Tasker::InvalidInput', { message });
}

// An error thrown while a file was loaded; source has the lines that show a syntax error.
function ofLoad(file, error, source) {
  const described = description(error, FRAMES);
  return { file, ...described, backtrace: [...source.map((line) => clip(line, FRAME_BYTES)), ...described.backtrace] };
}

function unacceptable(name, error) {
  return { kind: 'permanent', class: name, message: clip(error.message, MESSAGE_BYTES), backtrace: [] };
}

// Anything can be thrown, not only errors.
function description(error, maxFrames) {
  if (!(error instanceof Error)) {
    const kind = error?.constructor?.name ?? String(error);
    return { class: clip(kind, FRAME_BYTES), message: clip(text(error), MESSAGE_BYTES), backtrace: [] };
  }
  return {
    class: clip(error.constructor?.name || error.name, FRAME_BYTES),
    message: clip(error.message, MESSAGE_BYTES),
    backtrace: backtrace(error, maxFrames),
  };
}

function text(thrown) {
  if (typeof thrown !== 'object') return String(thrown);
  return thrown?.message ?? JSON.stringify(thrown);
}

// The frames outside this host, innermost first.
function backtrace(error, maxFrames) {
  const frames = stackLines(error)
    .filter((line) => /^\s+at /.test(line) && !line.includes(HOST_FOLDER) && !line.includes('(node:internal'))
    .filter((line) => !line.includes('at node:internal'))
    .map((line) => clip(line.trim(), FRAME_BYTES));
  if (frames.length <= maxFrames) return frames;
  return [...frames.slice(0, maxFrames - 1), `... (${frames.length - maxFrames + 1} more)`];
}

function stackLines(error) {
  return typeof error.stack === 'string' ? error.stack.split('\n') : [];
}

function cause(error, depth = 1) {
  if (error?.cause == null || depth > CAUSES) return undefined;
  return { ...description(error.cause, CAUSE_FRAMES), cause: cause(error.cause, depth + 1) };
}

function details(context) {
  if (context == null) return undefined;
  try {
    return plain('details', context, DETAILS);
  } catch (error) {
    return { details_dropped: clip(error.message, FRAME_BYTES) };
  }
}

function milliseconds(seconds) {
  if (seconds == null) return undefined;
  const value = Math.round(Number(seconds) * 1000);
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

module.exports = { of, ofLoad, ofRequest };
