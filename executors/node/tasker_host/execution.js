'use strict';

const argumentsFor = require('./arguments');
const { Cancellation } = require('./cancellation');
const current = require('./current');
const { Heartbeats } = require('./heartbeats');
const outcome = require('./outcome');
const { resultMembers } = require('./payload_file');
const { PrintedLines } = require('./printed_lines');
const { CallFailed, Cancelled, LeaseLost } = require('./sdk/tasker');
const { Secrets } = require('./secrets');

const CALL_MS = 30_000; // for steps without a timeout

// One execution of one step: calls the handler and makes the response of its result or error. Its messages to the
// worker go through the client.
class Execution {
  #requestId;
  #params;
  #handler;
  #limits;
  #client;
  #answer;
  #cancellation = new Cancellation();
  #callsEnd;
  #heartbeats;
  #printed;
  #secrets;

  // The last checkpoint that the handler saved.
  checkpoint;

  constructor(requestId, params, handler, limits, client) {
    this.executionId = params.execution_id;
    this.started = performance.now();
    this.#requestId = requestId;
    this.#params = params;
    this.#handler = handler;
    this.#limits = limits;
    this.#client = client;
    this.#callsEnd = this.started + (params.timeout_ms ?? CALL_MS);
  }

  // The execution to which the running code belongs, or undefined.
  static current() {
    const owner = current.owner();
    return owner instanceof Execution ? owner : undefined;
  }

  get handler() {
    return this.#handler;
  }

  get ended() {
    return this.#answer === undefined;
  }

  // Runs the handler, and calls answer with the response exactly once.
  start(answer) {
    this.#answer = answer;
    current.run(this, () => this.#run());
  }

  // Asks the handler to stop within graceMs. The worker ends the process of a handler that does not stop. The listeners
  // of the signal are code of the handler.
  cancel(reason, graceMs = 0) {
    if (this.ended) return;
    this.#callsEnd = Math.max(this.#callsEnd, performance.now() + graceMs);
    current.run(this, () => this.#cancellation.end(new Cancelled(reason)));
  }

  // Ends the execution with an error that the handler's promise does not report. Has no effect after its end.
  fail(error) {
    if (this.ended) return;
    const json = JSON.stringify(outcome.of(error, { cancelled: this.cancelled, checkpoint: this.checkpoint }));
    this.#send(this.#secrets ? this.#secrets.redact(json) : json);
  }

  get deadline() {
    const { deadline_at: at } = this.#params;
    return at ? new Date(at) : null;
  }

  get signal() {
    this.#pollCancel();
    return this.#cancellation.signal;
  }

  get cancelled() {
    this.#pollCancel();
    return this.#cancellation.error !== undefined;
  }

  check() {
    this.#pollCancel();
    const { error } = this.#cancellation;
    if (!error) return;
    Error.captureStackTrace(error); // the stack of the handler, not of the cancel
    throw error;
  }

  heartbeat(params) {
    if (this.ended) return;
    this.#heartbeats ??= new Heartbeats((beat) => {
      this.#client.notify('step.heartbeat', { execution_id: this.executionId, ...beat });
    });
    this.#heartbeats.beat(params);
  }

  // Throws if method cannot be requested, or not after the end of the execution.
  checkCall(method) {
    if (this.ended) throw new LeaseLost(`the step has ended, too late for ${method}`);
    if (this.#cancellation.error instanceof LeaseLost) throw this.#cancellation.error;
    if (!this.#client.offers(method)) throw new CallFailed(`this worker does not offer ${method}`);
  }

  // Resolves to the {result} or {error} of the worker's response.
  request(method, params) {
    return this.#client.request(method, { execution_id: this.executionId, ...params });
  }

  // Settles like promise, or rejects if the step is cancelled or its time is over before.
  wait(promise, method) {
    const late = () => new CallFailed(`the worker did not answer ${method} before the step's deadline`);
    return this.#cancellation.wait(promise, this.#callsEnd - performance.now(), late);
  }

  // Waits before the request is repeated.
  async pause(ms, method) {
    if (performance.now() + ms > this.#callsEnd) {
      throw new CallFailed(`the worker could not serve ${method} before the step's deadline`);
    }
    let timer;
    const over = new Promise((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await this.wait(over, method).finally(() => clearTimeout(timer));
  }

  // Notes that the claim is lost, and returns error.
  loseClaim(error) {
    this.#cancellation.end(error);
    return error;
  }

  // Redacts value in messages of this execution from now on.
  addSecret(value) {
    this.#secrets ??= new Secrets();
    this.#secrets.add(value);
  }

  redact(text) {
    return this.#secrets ? this.#secrets.redact(text) : text;
  }

  // Returns the lines that the printed text completes.
  print(stream, chunk, encoding) {
    this.#printed ??= new PrintedLines();
    return this.#printed.add(stream, chunk, encoding);
  }

  // The [stream, text] pairs of lines that have not ended.
  printRest() {
    return this.#printed?.rest() ?? [];
  }

  // Reads the cancel reason from shared memory: a thread that computes receives no messages.
  #pollCancel() {
    const reason = this.#client.cancelReason?.();
    if (reason !== undefined) this.cancel(reason);
  }

  // A result that cannot be serialised is a failure of the handler.
  async #run() {
    try {
      const args = argumentsFor.of(this.#params, this);
      this.step = args[2];
      const result = await this.#handler.call(...args);
      const members = resultMembers(result, this.#limits, this.#params.scratch_dir);
      this.#send(`{"outcome":"success",${typeof members === 'string' ? members : await members}${this.#metadata()}}`);
    } catch (error) {
      this.fail(error);
    }
  }

  #metadata() {
    const metadata = this.#client.metadata?.();
    return metadata ? `,"metadata":${JSON.stringify(metadata)}` : '';
  }

  // Sends all messages of the execution, then its response.
  #send(result) {
    const answer = this.#answer;
    if (answer === undefined) return;
    this.#heartbeats?.stop();
    if (this.#printed) this.#client.printed(this, this.printRest());
    this.#answer = undefined;
    answer(`{"jsonrpc":"2.0","id":${JSON.stringify(this.#requestId)},"result":${result}}`);
  }
}

module.exports = { Execution };
