'use strict';

const argumentsFor = require('./arguments');
const { Cancellation } = require('./cancellation');
const current = require('./current');
const { Heartbeats } = require('./heartbeats');
const outcome = require('./outcome');
const { PrintedLines } = require('./printed_lines');
const { resultMembers } = require('./payload_file');
const { CallFailed, Cancelled, LeaseLost } = require('./sdk/tasker');
const { Secrets } = require('./secrets');

const CALL_MS = 30_000; // for steps without a timeout

// One execution of one step: calls the handler and turns whatever happens into the message to answer with. All that it
// wants of the worker goes through its client.
class Execution {
  #requestId;
  #params;
  #handler;
  #limits;
  #client;
  #answer;
  #cancellation = new Cancellation();
  #mayCallUntil;
  #heartbeats;
  #printed;
  #secrets;

  // The last checkpoint that the handler handed over.
  checkpoint;

  constructor(requestId, params, handler, limits, client) {
    this.executionId = params.execution_id;
    this.started = performance.now();
    this.#requestId = requestId;
    this.#params = params;
    this.#handler = handler;
    this.#limits = limits;
    this.#client = client;
    this.#mayCallUntil = this.started + (params.timeout_ms ?? CALL_MS);
  }

  // The execution whose handler the running code belongs to, or undefined.
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

  // Runs the handler and calls answer with the response, exactly once.
  start(answer) {
    this.#answer = answer;
    current.run(this, () => this.#run());
  }

  // Tells the handler to stop. It may go on for graceMs; that nothing overlong goes on for ever is the worker's business.
  // The listeners of the signal are the handler's code.
  cancel(reason, graceMs = 0) {
    if (this.ended) return;
    this.#mayCallUntil = Math.max(this.#mayCallUntil, performance.now() + graceMs);
    current.run(this, () => this.#cancellation.end(new Cancelled(reason)));
  }

  // Ends the execution with an error from outside the handler's own promise. Without effect when it has ended.
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
    Error.captureStackTrace(error); // where the handler is, not where the cancel arrived
    throw error;
  }

  heartbeat(params) {
    if (this.ended) return;
    this.#heartbeats ??= new Heartbeats((beat) => {
      this.#client.notify('step.heartbeat', { execution_id: this.executionId, ...beat });
    });
    this.#heartbeats.beat(params);
  }

  // Throws when method cannot be called (any more).
  mayCall(method) {
    if (this.ended) throw new LeaseLost(`the step has ended, too late for ${method}`);
    if (this.#cancellation.error instanceof LeaseLost) throw this.#cancellation.error;
    if (!this.#client.offers(method)) throw new CallFailed(`this worker does not offer ${method}`);
  }

  // Resolves to the worker's {result} or {error}.
  request(method, params) {
    return this.#client.request(method, { execution_id: this.executionId, ...params });
  }

  // Settles like promise, unless the step is cancelled or runs out of time before.
  wait(promise, method) {
    const late = () => new CallFailed(`the worker did not answer ${method} before the step's deadline`);
    return this.#cancellation.wait(promise, this.#mayCallUntil - performance.now(), late);
  }

  // Waits before method is asked for again.
  async pause(ms, method) {
    if (performance.now() + ms > this.#mayCallUntil) {
      throw new CallFailed(`the worker could not serve ${method} before the step's deadline`);
    }
    let timer;
    const over = new Promise((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await this.wait(over, method).finally(() => clearTimeout(timer));
  }

  // Notes that the step is not this attempt's any more, and returns error.
  loseClaim(error) {
    this.#cancellation.end(error);
    return error;
  }

  // Keeps value out of what this execution says from now on.
  addSecret(value) {
    this.#secrets ??= new Secrets();
    this.#secrets.add(value);
  }

  redact(text) {
    return this.#secrets ? this.#secrets.redact(text) : text;
  }

  // The lines that this print completes.
  print(stream, chunk, encoding) {
    this.#printed ??= new PrintedLines();
    return this.#printed.add(stream, chunk, encoding);
  }

  // [stream, text] of what has been printed without the end of its line.
  printRest() {
    return this.#printed?.rest() ?? [];
  }

  // A handler in a thread that computes gets no messages, but sees what it shares with the host.
  #pollCancel() {
    const reason = this.#client.cancelReason?.();
    if (reason !== undefined) this.cancel(reason);
  }

  // Serialising is guarded like the handler itself: a result that cannot be sent is a failure.
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

  // Everything about an execution precedes its answer.
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
