'use strict';

const { isUtf8 } = require('node:buffer');

const { CpuExecution } = require('./cpu_execution');
const { CpuThreads } = require('./cpu_threads');
const { Execution } = require('./execution');
const failure = require('./failure');
const { Log } = require('./log');
const { envelope, misread } = require('./message');
const { capture } = require('./output');
const { Pool } = require('./pool');
const { ProcessState } = require('./process_state');
const { RpcError } = require('./rpc_error');
const tasker = require('./sdk/tasker');
const { MAX_MESSAGE_BYTES, Session, isObject } = require('./session');
const { clip } = require('./text');
const uncaughtErrors = require('./uncaught_errors');
const { Watchdog } = require('./watchdog');
const { LineReader, TooLong, Writer } = require('./wire');
const { WorkerClient } = require('./worker_client');

const LAST_FLUSH_MS = 1000;
// The time after loading in which an error outside of any step counts as a load error of its file.
const FILE_ERRORS_MS = 10_000;

// Reads and dispatches requests until the pipe closes. Only step.execute runs handlers, so a ping waits only for code
// that holds the event loop.
class Server {
  #reader;
  #writer;
  #session;
  #pool;
  #processState = new ProcessState();
  #client;
  #threads;
  #log;
  #outFd;
  #watchdog = new Watchdog(() => this.#pool?.values() ?? []);
  #loadingSession; // the session, from the time when its handlers load
  #fileErrorsEnd; // when FILE_ERRORS_MS are over, in ms of this process
  #backlog; // messages that arrive while handlers load
  #draining = false;
  #recycleRequested = false; // the worker has been asked to recycle this process
  #methods = {
    __proto__: null,
    initialize: (params, id) => this.#initialize(params, id),
    ping: () => this.#ping(),
    shutdown: () => this.#shutdown(),
    'step.execute': (params, id, json) => this.#execute(params, id, json),
  };
  #notifications = {
    __proto__: null,
    'step.cancel': (params) => this.#cancel(params),
  };

  constructor(input, output, outFd) {
    this.#reader = new LineReader(input, MAX_MESSAGE_BYTES);
    this.#writer = new Writer(output, () => this.#exit());
    this.#outFd = outFd;
    this.#log = new Log(this.#writer);
    this.#client = new WorkerClient(this.#writer, this.#log);
    tasker.host.log = this.#log;
    tasker.host.step = () => Execution.current()?.step;
    capture(this.#log);
  }

  // Serves until the worker closes the pipe. Then the process ends, because no result can be delivered.
  run() {
    process.on('SIGTERM', () => this.#drainAndExit());
    process.on('exit', () => this.#writer.flush());
    uncaughtErrors.watch((code) => this.#exitWritten(code), (file, error) => this.#handleFileError(file, error));
    this.#reader.start((line) => this.#receive(line), () => this.#exit());
  }

  #receive(line) {
    if (this.#backlog) {
      this.#backlog.push(line);
      return;
    }
    let id = null;
    try {
      const json = this.#text(line);
      const message = parse(json);
      if (message === undefined) return;
      id = message.id ?? null;
      const result = this.#dispatch(message, json);
      if (result !== undefined) this.#writer.result(id, result);
    } catch (error) {
      if (id === null && error instanceof RpcError) this.#refuseUnreadable(line, error);
      else this.#refuse(id, error);
    }
  }

  #text(line) {
    if (line instanceof TooLong) {
      throw new RpcError(RpcError.TOO_LARGE, `a message may have ${this.#reader.maxBytes} bytes`);
    }
    if (!isUtf8(line)) throw new RpcError(RpcError.PARSE, 'the message is not UTF-8');
    return line.toString();
  }

  // Answers a line that cannot be decoded. The error has an id if the line is a step.execute request; a line that is a
  // response ends its request. Any other error has no id.
  #refuseUnreadable(line, error) {
    const { id, method } = envelope(line instanceof TooLong ? line.head : line);
    if (method === undefined && this.#client.handleResponse({ id, error })) return;
    this.#refuse(method === 'step.execute' && typeof id === 'string' ? id : null, error);
  }

  // The result to answer with, or undefined if the response comes later or there is none.
  #dispatch(message, json) {
    const { id, jsonrpc, method, params } = message;
    if (method === undefined) return void this.#client.handleResponse(message);
    if (id === undefined) return this.#notifications[method]?.(isObject(params) ? params : {});
    if (typeof id !== 'string' || typeof method !== 'string' || jsonrpc !== '2.0') {
      const hint = 'a request has jsonrpc 2.0, a string as id and a string as method';
      throw new RpcError(RpcError.INVALID_REQUEST, hint);
    }
    const call = this.#methods[method];
    if (!call) throw new RpcError(RpcError.UNKNOWN_METHOD, `unknown method ${clip(method, 100)}`);
    if (!isObject(params ?? {})) throw new RpcError(RpcError.BAD_PARAMS, 'params must be an object');
    return call(params ?? {}, id, json);
  }

  #refuse(id, error) {
    if (error instanceof RpcError) this.#writer.error(id, error.code, error.message, error.data);
    else this.#writer.error(id, RpcError.INTERNAL, `${error?.name}: ${clip(error?.message, 1000)}`);
  }

  #initialize(params, id) {
    if (this.#session) throw new RpcError(RpcError.INVALID_REQUEST, 'initialized already');
    const session = new Session(params, { log: this.#log, watchdog: this.#watchdog });
    this.#backlog = [];
    this.#watchdog.start(this.#outFd, id).then(() => this.#open(session)).then(() => this.#processState.watch()).then(
      () => this.#writer.result(id, session.description()),
      (error) => this.#refuse(id, error),
    ).then(() => this.#resume());
  }

  async #open(session) {
    this.#loadingSession = session;
    await session.load();
    this.#fileErrorsEnd = performance.now() + FILE_ERRORS_MS;
    this.#reader.maxBytes = session.maxMessageBytes;
    this.#client.offered = session.callbacks;
    this.#pool = new Pool(session.maxConcurrency, this.#writer, (id, left) => this.#ended(id, left));
    this.#threads = new CpuThreads({ root: session.handlerRoot, offered: this.#client.offered });
    this.#session = session;
  }

  // Handles an uncaught error of code that a file started while it was loaded. While files load, it is a load error. In
  // the next 10 s, the worker gets a process without the file. Later it may be an outage: returns false, and the
  // process ends.
  #handleFileError(file, error) {
    if (!this.#loadingSession) return false;
    const late = performance.now() > (this.#fileErrorsEnd ?? Infinity);
    if (late) return false;
    const loadError = this.#loadingSession.failFile(file, error);
    if (!this.#session) return true;
    const reason = `${file} threw after it was loaded`;
    this.#writer.notify('executor.status', { state: 'recycle_me', reason, load_error: loadError });
    return true;
  }

  #resume() {
    const lines = this.#backlog;
    this.#backlog = undefined;
    lines.forEach((line) => this.#receive(line));
  }

  #ping() {
    return { in_flight: this.#inFlight(), oldest_ms: this.#pool?.oldestMs };
  }

  #shutdown() {
    this.#draining = true;
    return { in_flight: this.#inFlight() };
  }

  #cancel({ execution_id: executionId, reason, grace_ms: graceMs }) {
    this.#pool?.cancel(executionId, typeof reason === 'string' ? reason : undefined, Number(graceMs) || 0);
  }

  #ended(executionId, running) {
    this.#client.forget(executionId);
    if (!this.#processState.restore(running) || this.#recycleRequested) return;
    this.#recycleRequested = true;
    const changed = 'a step changed the folder, umask, environment or signal handlers of the process';
    const reason = `${changed}, and the change was not undone in time`;
    this.#writer.notify('executor.status', { state: 'recycle_me', reason });
  }

  #execute(sent, id, received) {
    if (!this.#session) throw new RpcError(RpcError.NOT_INITIALIZED, 'initialize comes first');
    if (this.#draining) throw new RpcError(RpcError.SHUTTING_DOWN, 'this host takes no more steps');
    const { params, json } = this.#session.params(sent, received);
    const handler = this.#session.handler(params);
    const numbers = misread(json);
    if (numbers?.lost) return this.#unreadable(numbers.lost);
    if (numbers) this.#warnOfRounding(params, numbers.rounded); // before the response, which may be sent at once
    this.#pool.start(this.#execution(id, params, handler));
  }

  // The outcome of a step whose arguments JavaScript cannot hold. A retry does not help.
  #unreadable({ path, number }) {
    const message = `the request cannot be read: ${path} is the number ${number}, which JavaScript cannot hold`;
    return { outcome: 'failure', failure: failure.ofRequest(message) };
  }

  #execution(id, params, handler) {
    const limits = this.#session.resultLimits;
    if (handler.cpu) return new CpuExecution(id, params, handler, limits, this.#client, this.#threads);
    return new Execution(id, params, handler, limits, this.#client);
  }

  #warnOfRounding(params, number) {
    this.#writer.notify('log', {
      level: 'warn',
      message: `${number} is beyond 2^53 and reaches the handler rounded; pass it as a string`,
      ts: new Date().toISOString(),
      execution_id: params.execution_id,
    });
  }

  #inFlight() {
    return this.#pool?.size ?? 0;
  }

  // SIGTERM: accepts no more steps, and exits when the running steps have ended or the grace is over.
  #drainAndExit() {
    this.#draining = true;
    if (!this.#pool) this.#exit();
    setTimeout(() => this.#exit(), this.#session.shutdownGraceMs);
    this.#pool.whenIdle(() => this.#writer.end(() => this.#exit()));
  }

  // Ends the process when the worker has read all messages, or after 1 s.
  #exitWritten(code) {
    setTimeout(() => process.exit(code), LAST_FLUSH_MS);
    this.#writer.end(() => process.exit(code));
  }

  // Ends the process at once. process.exit waits for file and DNS calls in libuv's threads, so a process with running
  // steps kills itself. Exit listeners of handlers are removed, because they could block.
  #exit() {
    if (this.#inFlight() > 0) process.kill(process.pid, 'SIGKILL');
    process.removeAllListeners('exit');
    process.exit(0);
  }
}

// The message, or undefined for a blank line.
function parse(json) {
  if (json.trim() === '') return undefined;
  let message;
  try {
    message = JSON.parse(json);
  } catch (error) {
    throw new RpcError(RpcError.PARSE, `not JSON: ${clip(error.message, 200)}`);
  }
  if (isObject(message)) return message;
  throw new RpcError(RpcError.INVALID_REQUEST, 'a message is one JSON object');
}

module.exports = { Server };
