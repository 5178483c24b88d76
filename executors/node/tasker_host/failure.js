'use strict';

// The failure that the worker records for something thrown. All of its members are bounded.

const { inspect, types } = require('node:util');

const { TooLarge, Unacceptable, plain } = require('./result_json');
const { PermanentError, RetryableError } = require('./sdk/tasker');
const { clip } = require('./text');

const MESSAGE_BYTES = 4096;
const FRAME_BYTES = 500;
const FRAMES = 100;
const CAUSES = 5;
const ANCESTORS = 10;
const CAUSE_FRAMES = 20;
const DETAILS = { maxBytes: 64 * 1024, maxDepth: 60 };
const LONGEST_MS = 1e12;
const IN_DETAILS = { errorCode: 'error_code', retryAfter: 'retry_after', context: 'details' };
// The three forms of a date of HTTP: RFC 1123, RFC 850 and asctime.
const HTTP_DATES = [
  /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]+, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/,
];
const HOST_FOLDER = `${__dirname}/`;

// The failure of an attempt in which error was thrown.
function of(error) {
  try {
    return describeFailure(error);
  } catch (unexpected) {
    // Describing an error runs users' code, which may throw. The step still gets a response.
    const message = `an error that cannot be described: ${clip(unexpected, FRAME_BYTES)}`;
    return { kind: 'retryable', class: 'Error', message, backtrace: [] };
  }
}

function describeFailure(error) {
  if (error instanceof TooLarge) return unacceptable('Tasker::ResultTooLarge', error);
  if (error instanceof Unacceptable) return unacceptable('Tasker::InvalidResult', error);
  const kind = error instanceof PermanentError ? 'permanent' : 'retryable';
  const failure = { kind, ...description(error, FRAMES), ancestors: ancestors(error), code: systemCode(error), cause: cause(error) };
  if (error instanceof RetryableError || error instanceof PermanentError) addMembers(failure, error);
  return failure;
}

// Adds the members of the errors of `tasker`. A member that cannot be used is named; the others are still added.
function addMembers(failure, error) {
  const ignored = {};
  if (error instanceof PermanentError) failure.code = member(error, 'errorCode', code, ignored) ?? failure.code;
  else failure.retry_after_ms = member(error, 'retryAfter', milliseconds, ignored);
  const details = member(error, 'context', detailsOf, ignored);
  const fits = details === undefined || isObject(details);
  failure.details = fits && Object.keys(ignored).length > 0 ? { ...details, ...ignored } : details;
}

// Subclasses need not set a member, or may compute it.
function member(error, name, convert, ignored) {
  try {
    const value = error[name];
    return value == null ? undefined : convert(value);
  } catch (unfit) {
    ignored[`${IN_DETAILS[name]}_ignored`] = clip(unfit?.message ?? unfit, FRAME_BYTES);
    return undefined;
  }
}

// The failure of a step whose request cannot be read.
function ofRequest(message) {
  return unacceptable('Tasker::InvalidArguments', { message });
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
  if (!(error instanceof Error || types.isNativeError(error))) {
    const kind = error?.constructor?.name ?? String(error);
    return { class: clip(kind, FRAME_BYTES), message: clip(text(error), MESSAGE_BYTES), backtrace: [] };
  }
  return {
    class: clip(error.constructor?.name || error.name, FRAME_BYTES),
    message: clip(error.message, MESSAGE_BYTES),
    backtrace: backtrace(error, maxFrames),
  };
}

// The superclasses of the error, the nearest first. Error itself says nothing.
function ancestors(error) {
  if (!(error instanceof Error)) return undefined;
  const names = [];
  let kind = Object.getPrototypeOf(error);
  for (; kind && kind !== Error.prototype && names.length <= ANCESTORS; kind = Object.getPrototypeOf(kind)) {
    names.push(clip(kind.constructor?.name, FRAME_BYTES));
  }
  return names.length > 1 ? names.slice(1) : undefined;
}

function text(thrown) {
  if (typeof thrown !== 'object') return String(thrown);
  return thrown?.message ?? JSON.stringify(thrown);
}

// The frames outside this host and Node itself, innermost first.
function backtrace(error, maxFrames) {
  const frames = stackLines(error)
    .filter((line) => /^\s+at /.test(line) && !line.includes(HOST_FOLDER) && !/[( ]node:/.test(line))
    .map((line) => clip(line.trim(), FRAME_BYTES));
  if (frames.length <= maxFrames) return frames;
  return [...frames.slice(0, maxFrames - 1), `... (${frames.length - maxFrames + 1} more)`];
}

function stackLines(error) {
  return typeof error.stack === 'string' ? error.stack.split('\n') : [];
}

function cause(error, depth = 1) {
  const inner = causeOf(error);
  if (inner == null || depth > CAUSES) return undefined;
  return { ...description(inner, CAUSE_FRAMES), cause: cause(inner, depth + 1) };
}

function causeOf(error) {
  try {
    // Promise.any sets no cause.
    return error?.cause ?? (error instanceof AggregateError ? error.errors?.[0] : undefined);
  } catch {
    return undefined; // it may be computed
  }
}

// The code of a system error such as ECONNREFUSED. fetch has it in the cause.
function systemCode(error) {
  for (const found of [error, causeOf(error)]) {
    try {
      if (typeof found?.code === 'string') return clip(found.code, FRAME_BYTES);
    } catch {
      return undefined; // it may be computed
    }
  }
  return undefined;
}

function code(value) {
  if (typeof value === 'object' || typeof value === 'function') {
    throw new TypeError(`an errorCode is a text, not ${shown(value)}`);
  }
  return clip(String(value), FRAME_BYTES);
}

// The part of the context that JSON can hold.
function detailsOf(context) {
  try {
    return plain('context', context, DETAILS);
  } catch (error) {
    const note = { details_dropped: clip(error.message, FRAME_BYTES) };
    return isObject(context) && !(error instanceof TooLarge) ? { ...convertible(context), ...note } : note;
  }
}

function convertible(context) {
  const kept = Object.entries(context).flatMap(([name, value]) => {
    try {
      return value === undefined ? [] : [[name, plain(`context.${name}`, value, DETAILS)]];
    } catch {
      return []; // the first that does not fit is named in details_dropped
    }
  });
  return Object.fromEntries(kept);
}

function milliseconds(value) {
  const date = httpDate(value) ?? value;
  const ms = date instanceof Date ? Math.max(date.getTime() - Date.now(), 0) : 1000 * seconds(value);
  if (ms >= 0 && ms < Infinity) return Math.round(Math.min(ms, LONGEST_MS));
  throw new TypeError(`${shown(value)} is no time to wait: retryAfter is a number of seconds, a Date, or the text of a Retry-After header`);
}

// Headers have seconds as text.
function httpDate(value) {
  const text = typeof value === 'string' ? value.trim() : '';
  if (!HTTP_DATES.some((form) => form.test(text))) return undefined;
  return new Date(text.endsWith('GMT') ? text : `${text} GMT`);
}

function seconds(value) {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : NaN;
}

function shown(value) {
  const text = typeof value === 'string' ? JSON.stringify(value) : inspect(value, { depth: 0, breakLength: Infinity });
  return clip(text, 100);
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

module.exports = { of, ofLoad, ofRequest };
