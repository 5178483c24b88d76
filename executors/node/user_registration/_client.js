'use strict';

// Calls a service for a step, and says what an answer that the step does not expect means.

const { setTimeout: sleep } = require('node:timers/promises');
const { PermanentError, RetryableError } = require('tasker');
const services = require('./_services');

const LATENCY_MS = 5;
const PERMANENT = [400, 401, 403, 404, 422];
const RETRY_AFTER_DEFAULT = 30;

// Resolves to the response {status, body, headers, milliseconds} when its status is one of expected, else throws.
// A task whose context holds {"simulate": {"<step>": 503}} gets that status, with an empty body, for that step.
async function call(task, step, { method = 'POST', path, body, expected }) {
  const started = performance.now();
  await sleep(LATENCY_MS);
  const simulated = task.context.simulate?.[step.name];
  const response = simulated
    ? services.respond(simulated, {})
    : services.answer({ method, path, body, idempotencyKey: step.idempotency_key });

  if (!expected.includes(response.status)) throw failure(`${method} ${step.config.url}${path}`, response);
  return { ...response, milliseconds: Math.round(performance.now() - started) };
}

function failure(request, { status, headers }) {
  const message = `${request} answered ${status}`;
  if (PERMANENT.includes(status)) return new PermanentError(message, { errorCode: `HTTP_${status}` });
  if (status !== 429 && status !== 503) return new RetryableError(message);
  return new RetryableError(message, { retryAfter: Number(headers['retry-after']) || RETRY_AFTER_DEFAULT });
}

// Returns value, or fails for good: what is absent now will be absent on every attempt.
function requirePresent(value, errorCode, message) {
  if (value === undefined || value === null || value === '') throw new PermanentError(message, { errorCode });
  return value;
}

// Returns the id of the user that create_user_account created.
function userId(sequence) {
  const id = sequence.find_step_by_name('create_user_account')?.results?.user_id;
  return requirePresent(id, 'MISSING_USER_ID', 'create_user_account left no user_id');
}

// Returns the id that follows the registration through all services.
function correlationId(task) {
  return task.context.correlation_id ?? `task-${task.task_id}`;
}

function plan(task) {
  return task.context.user_info?.plan ?? 'free';
}

module.exports = { call, correlationId, plan, requirePresent, userId };
