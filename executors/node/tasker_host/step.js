'use strict';

// The methods await what they return. Otherwise stacks would not lead to the handler.

const { call } = require('./callbacks');
const { plainArgument } = require('./result_json');

const CHECKPOINT_BYTES = 64 * 1024;
const PAYLOAD_BYTES = 1 << 20;
const MAX_DEPTH = 60;

// The step that runs, and the requests that its handler can make to the worker. `attempt` counts from 1, `attempts` is
// how many there were before this one. `checkpoint` is the one of an earlier attempt.
class Step {
  #execution;

  constructor(id, params, execution) {
    const { step, handler } = params;
    this.workflow_step_id = id;
    this.name = step.name;
    this.attempt = step.attempt ?? 1;
    this.attempts = this.attempt - 1;
    this.retry_limit = step.max_attempts;
    this.inputs = step.inputs ?? null;
    this.results = step.results ?? null;
    this.config = handler.config ?? {};
    this.idempotency_key = params.idempotency_key;
    this.checkpoint = params.checkpoint ?? null;
    this.scratch_dir = params.scratch_dir ?? null;
    this.#execution = execution;
  }

  // When the attempt times out, as a Date, or null.
  get deadline() {
    return this.#execution.deadline;
  }

  // An AbortSignal: pass it to fetch, timers and streams, and they end when the step is cancelled.
  get signal() {
    return this.#execution.signal;
  }

  // True once the worker has asked the step to stop.
  get cancelled() {
    return this.#execution.cancelled;
  }

  // Throws Cancelled once the worker has asked the step to stop.
  check() {
    this.#execution.check();
  }

  // Tells the worker that the step is alive, with its progress from 0 to 1. Heartbeats within a second are combined.
  heartbeat(progress, message, details) {
    if (progress != null && !(progress >= 0 && progress <= 1)) {
      throw new TypeError(`the progress of a heartbeat is a number from 0 to 1, not ${String(progress)}`);
    }
    this.#execution.heartbeat({
      progress: progress ?? undefined,
      message: message == null ? undefined : String(message).slice(0, 1000),
      details: details == null ? undefined : argument('details', details, CHECKPOINT_BYTES),
    });
  }

  // Resolves to {current, remaining_ms}, or rejects with LeaseLost. Call it before an effect that cannot be undone.
  async lease() {
    return await call(this.#execution, 'step.lease', {});
  }

  // Stores data, of at most 64 KiB, for the next attempt. It is durable when the promise resolves.
  async saveCheckpoint(data) {
    const checkpoint = argument('checkpoint', data, CHECKPOINT_BYTES);
    this.#execution.checkpoint = checkpoint;
    await call(this.#execution, 'step.save_checkpoint', { checkpoint });
    this.checkpoint = checkpoint;
  }

  // Publishes an event: together with the step's result, or at once with delivery 'now'.
  async publishEvent(name, payload = {}, { dedupeKey, delivery } = {}) {
    if (delivery !== undefined && delivery !== 'with_result' && delivery !== 'now') {
      throw new TypeError(`the delivery of an event is 'with_result' or 'now', not ${String(delivery)}`);
    }
    return await call(this.#execution, 'step.publish_event', {
      name: text('the name of an event', name),
      payload: argument('payload', payload, PAYLOAD_BYTES),
      dedupe_key: dedupeKey == null ? undefined : String(dedupeKey),
      delivery,
    });
  }

  // Adds steps, {name, handler, inputs, depends_on, config, retryable, default_retry_limit}, to the task, together with
  // this step's result. Steps that wait for this step wait for them too. Resolves to {accepted}.
  async spawn(steps) {
    if (!Array.isArray(steps)) throw new TypeError('spawn takes an array of steps');
    return await call(this.#execution, 'step.spawn', { steps: argument('steps', steps, PAYLOAD_BYTES) });
  }

  // Creates a task, once for every identityKey. Resolves to {task_id, created}.
  async createTask(namespace, name, version, context = {}, { identityKey } = {}) {
    return await call(this.#execution, 'tasks.create', {
      namespace: text('the namespace of a task', namespace),
      name: text('the name of a task', name),
      version: text('the version of a task', version),
      context: argument('context', context, PAYLOAD_BYTES),
      identity_key: identityKey == null ? undefined : String(identityKey),
    });
  }

  // Resolves to the value of a secret. It is redacted in later output and failures of this execution.
  async secret(name) {
    const { value } = await call(this.#execution, 'secrets.get', { name: text('the name of a secret', name) });
    this.#execution.addSecret(value);
    return value;
  }
}

// The argument as the worker reads it. An invalid argument throws here, where the handler passes it.
function argument(what, value, maxBytes) {
  return plainArgument(what, value, { maxBytes, maxDepth: MAX_DEPTH });
}

function text(what, value) {
  if (typeof value === 'string' && value !== '') return value;
  throw new TypeError(`${what} is a string, not ${value === '' ? 'an empty one' : String(value)}`);
}

module.exports = { Step };
