'use strict';

const { AsyncLocalStorage } = require('node:async_hooks');

const argumentsFor = require('./arguments');
const failure = require('./failure');
const { generate } = require('./result_json');

const current = new AsyncLocalStorage();

// One execution of one step: calls the handler and turns whatever happens into the message to answer with.
class Execution {
  #requestId;
  #params;
  #handler;
  #limits;
  #answer;

  constructor(requestId, params, handler, limits) {
    this.executionId = params.execution_id;
    this.started = performance.now();
    this.#requestId = requestId;
    this.#params = params;
    this.#handler = handler;
    this.#limits = limits;
  }

  // The execution whose handler the running code belongs to, or undefined.
  static current() {
    return current.getStore();
  }

  // Runs the handler and calls answer with the response, exactly once.
  start(answer) {
    this.#answer = answer;
    current.run(this, () => this.#run());
  }

  // Ends the execution with an error from outside the handler's own promise. Without effect when it has ended.
  fail(error) {
    this.#respond({ outcome: 'failure', failure: failure.of(error) });
  }

  // Serialising is guarded like the handler itself: a result that cannot be sent is a failure.
  async #run() {
    try {
      const result = await this.#handler.call(...argumentsFor.of(this.#params));
      this.#send(`{"outcome":"success","result":${generate(result, this.#limits)}}`);
    } catch (error) {
      this.fail(error);
    }
  }

  #respond(result) {
    this.#send(JSON.stringify(result));
  }

  #send(result) {
    const answer = this.#answer;
    this.#answer = undefined;
    answer?.(`{"jsonrpc":"2.0","id":${JSON.stringify(this.#requestId)},"result":${result}}`);
  }
}

module.exports = { Execution };
