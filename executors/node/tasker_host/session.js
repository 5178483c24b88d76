'use strict';

const { Loader } = require('./loader');
const payloadFile = require('./payload_file');
const { TooLarge } = require('./result_json');
const { RpcError } = require('./rpc_error');
const { clip } = require('./text');

const PROTOCOL_VERSION = 1;
const SDK_VERSION = '0.1.0';
const MAX_MESSAGE_BYTES = 4 << 20;
const MAX_INLINE_BYTES = 1 << 20;
const MAX_JSON_DEPTH = 64;
const MAX_CONCURRENCY = 20;
const MAX_FILE_BYTES = 64 << 20;
const SHUTDOWN_GRACE_MS = 25_000;
const STARTUP_TIMEOUT_MS = 60_000;

// What `initialize` agreed on: the limits, and the handlers of the folder that it named.
class Session {
  #loader;

  // log and watchdog are for the loader.
  constructor(params, { log, watchdog }) {
    checkVersion(params.protocol_versions);
    const { handler_root: root = '', skip_files: skip = [] } = object(params, 'config');
    if (typeof root !== 'string') throw bad('config.handler_root must be a string');
    if (!Array.isArray(skip)) throw bad('config.skip_files must be an array');
    const limits = object(params, 'limits');
    this.maxMessageBytes = positive(limits, 'max_message_bytes', MAX_MESSAGE_BYTES);
    this.maxConcurrency = positive(limits, 'max_concurrency', MAX_CONCURRENCY);
    const { callbacks = [], payload_files: payloadFiles } = object(params, 'capabilities');
    if (!Array.isArray(callbacks)) throw bad('capabilities.callbacks must be an array');
    this.callbacks = callbacks;
    this.maxFileBytes = payloadFiles === true ? positive(limits, 'max_file_bytes', MAX_FILE_BYTES) : 0;
    this.resultLimits = {
      maxFileBytes: this.maxFileBytes,
      maxBytes: positive(limits, 'max_inline_bytes', MAX_INLINE_BYTES),
      maxDepth: positive(limits, 'max_json_depth', MAX_JSON_DEPTH),
    };
    this.shutdownGraceMs = positive(object(params, 'timing'), 'shutdown_grace_ms', SHUTDOWN_GRACE_MS);
    const startupMs = positive(object(params, 'timing'), 'startup_timeout_ms', STARTUP_TIMEOUT_MS);
    this.#loader = new Loader(root, { startupMs, skip, watchdog, log });
  }

  // Loads the handlers. A file that cannot be loaded is reported; the others are served.
  async load() {
    await this.#loader.load();
  }

  // Takes an uncaught error of code that belongs to a file, and returns the file's load error.
  failFile(path, error) {
    return this.#loader.failFile(path, error);
  }

  get handlerRoot() {
    return this.#loader.root;
  }

  // The params of step.execute, which may be in a file, with their JSON.
  params(params, json) {
    if (params.params_file === undefined) return { params, json };
    if (!this.maxFileBytes) throw bad('params_file: payload files were not agreed on');
    try {
      const text = payloadFile.read(params.params_file, params.scratch_dir, this.maxFileBytes);
      const { execution_id: executionId, scratch_dir: scratchDir } = params;
      return { params: { ...JSON.parse(text), execution_id: executionId, scratch_dir: scratchDir }, json: text };
    } catch (error) {
      if (error instanceof TooLarge) throw new RpcError(RpcError.TOO_LARGE, error.message);
      throw bad(`params_file: ${clip(error.message, 500)}`);
    }
  }

  // The handler that the params of step.execute name.
  handler(params) {
    checkWellFormed(params);
    const { name } = params.handler;
    const handler = this.#loader.handlers.get(name);
    if (!handler) throw new RpcError(RpcError.HANDLER_NOT_FOUND, 'handler_not_found', { name });
    return handler;
  }

  // The result of `initialize`.
  description() {
    return {
      protocol_version: PROTOCOL_VERSION,
      executor: {
        language: 'node',
        language_version: process.versions.node,
        sdk: 'tasker-worker',
        sdk_version: SDK_VERSION,
        pid: process.pid,
      },
      capabilities: {
        max_concurrency: this.maxConcurrency,
        cancel: 'event_loop',
        step_heartbeats: true,
        structured_logs: true,
        payload_files: true,
        deferred: true,
        reload: false,
      },
      handlers: Array.from(this.#loader.handlers.values(), described),
      handlers_complete: true,
      load_errors: this.#loader.errors,
    };
  }
}

function described({ name, file, exclusive, cpu }) {
  return { name, file, exclusive: exclusive || undefined, cpu: cpu || undefined };
}

function checkVersion(versions) {
  if (Array.isArray(versions) && versions.includes(PROTOCOL_VERSION)) return;
  throw new RpcError(RpcError.UNSUPPORTED_VERSION, 'unsupported_protocol_version', { supported: [PROTOCOL_VERSION] });
}

function positive(parent, name, otherwise) {
  const value = parent[name] ?? otherwise;
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw bad(`${name} must be a positive integer`);
}

function object(params, name) {
  const value = params[name] ?? {};
  if (isObject(value)) return value;
  throw bad(`${name} must be an object`);
}

function checkWellFormed({ execution_id: executionId, handler, step, task, dependencies }) {
  if (typeof executionId !== 'string' || executionId === '') throw bad('execution_id must be a string');
  if (!isObject(handler) || typeof handler.name !== 'string') throw bad('handler.name must be a string');
  if (!isObject(step) || !isObject(task)) throw bad('step and task must be objects');
  if (!isObject(dependencies ?? {}) || !Object.values(dependencies ?? {}).every(isObject)) {
    throw bad('dependencies must be an object of objects');
  }
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function bad(message) {
  return new RpcError(RpcError.BAD_PARAMS, message);
}

module.exports = { MAX_MESSAGE_BYTES, Session, isObject };
