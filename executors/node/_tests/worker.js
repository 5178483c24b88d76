'use strict';

// Plays the worker for one host process.

const { spawn } = require('node:child_process');
const path = require('node:path');
const readline = require('node:readline');

const HOST = path.join(__dirname, '..', 'tasker_host', 'host.js');
const HANDLERS = path.join(__dirname, 'handlers');
const CALLBACKS = 'step.lease step.save_checkpoint step.publish_event step.spawn tasks.create secrets.get'.split(' ');

class Worker {
  #child;
  #lastId = 0;
  #answers = new Map();
  #watchers = new Set();

  stdout = '';
  stderr = '';
  messages = []; // everything that is no answer, in order of arrival

  // reply makes the answer to a call of the host: {result} or {error}, or nothing.
  // through is a program that starts the host, with its arguments.
  constructor({ reply = () => ({ result: {} }), args = [], through = [], cwd, env = {} } = {}) {
    const [program, ...rest] = [...through, process.execPath, ...args, HOST];
    this.#child = spawn(program, rest, {
      cwd,
      env: { ...process.env, TASKER_PROTOCOL: '1', TASKER_RPC_IN_FD: '3', TASKER_RPC_OUT_FD: '4', ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
    });
    this.#child.stdout.on('data', (data) => (this.stdout += data));
    this.#child.stderr.on('data', (data) => {
      this.stderr += data;
      this.#look();
    });
    this.exited = new Promise((resolve) => this.#child.on('close', (code, signal) => resolve(code ?? signal)));
    const lines = readline.createInterface({ input: this.#child.stdio[4] });
    lines.on('line', (line) => this.#take(JSON.parse(line), reply));
    // A host that is killed with something unread resets its pipes.
    for (const end of [lines, ...this.#child.stdio.slice(1)]) end.on('error', () => {});
  }

  // Starts a host and initializes it.
  static async ready(t, { callbacks, handlers, payloadFiles, limits, skip, timing, ...options } = {}) {
    const worker = new Worker(options);
    t.after(() => worker.kill());
    worker.description = await worker.initialize({ callbacks, handlers, payloadFiles, limits, skip, timing });
    return worker;
  }

  initialize({ callbacks = CALLBACKS, handlers = HANDLERS, payloadFiles = false, limits = {}, skip = [], timing = {} } = {}) {
    return this.ask('initialize', {
      protocol_versions: [1],
      capabilities: { callbacks, payload_files: payloadFiles },
      config: { handler_root: handlers, skip_files: skip },
      limits: { max_concurrency: 8, ...limits },
      timing,
    });
  }

  // The result of a request; rejects with the error.
  ask(method, params = {}) {
    const id = `w${++this.#lastId}`;
    this.#say({ jsonrpc: '2.0', id, method, params });
    return new Promise((resolve, reject) => this.#answers.set(id, { resolve, reject }));
  }

  // The answer, {result} or {error}, to a line that may be anything; id is the one that it will have.
  send(line, id = null) {
    this.#child.stdio[3].write(Buffer.concat([Buffer.from(line), Buffer.from('\n')]));
    return new Promise((resolve) => {
      this.#answers.set(id, { resolve: (result) => resolve({ result }), reject: ({ code, message }) => resolve({ error: { code, message } }) });
    });
  }

  execute(handler, config = {}, more = {}) {
    return this.ask('step.execute', {
      execution_id: 'e1',
      step: { id: '1', name: 's', attempt: 1, max_attempts: 3 },
      task: { id: '2', namespace: 'n', name: 't', version: '1', context: {} },
      handler: { name: handler, config },
      timeout_ms: 30_000,
      ...more,
    });
  }

  cancel(executionId = 'e1', reason = 'user', graceMs = 1000) {
    this.#say({ jsonrpc: '2.0', method: 'step.cancel', params: { execution_id: executionId, reason, grace_ms: graceMs } });
  }

  answer(id, response) {
    this.#say({ jsonrpc: '2.0', id, ...response });
  }

  // Resolves to the first value that find returns, looking again whenever something arrives.
  until(find) {
    return new Promise((resolve) => {
      const look = () => {
        const found = find(this);
        if (found === undefined || found === false) return;
        this.#watchers.delete(look);
        resolve(found);
      };
      this.#watchers.add(look);
      look();
    });
  }

  // Resolves to the params of the first message of that method.
  async said(method) {
    return (await this.until(() => this.messages.find((message) => message.method === method))).params;
  }

  logs() {
    return this.messages.filter(({ method }) => method === 'log').map(({ params }) => params);
  }

  signal(name) {
    this.#child.kill(name);
  }

  get stopReading() {
    return this.#child.stdio[4].pause.bind(this.#child.stdio[4]);
  }

  get startReading() {
    return this.#child.stdio[4].resume.bind(this.#child.stdio[4]);
  }

  end() {
    this.#child.stdio[3].end();
    return this.exited;
  }

  kill() {
    this.#child.kill('SIGKILL');
    return this.exited;
  }

  #say(message) {
    this.#child.stdio[3].write(`${JSON.stringify(message)}\n`);
  }

  #take(message, reply) {
    if (message.method === undefined) {
      const { resolve, reject } = this.#answers.get(message.id) ?? {};
      if (!this.#answers.delete(message.id)) throw new Error(`answer to nothing: ${JSON.stringify(message)}`);
      if (message.error) reject(Object.assign(new Error(message.error.message), message.error));
      else resolve(message.result);
    } else {
      this.messages.push(message);
      const response = message.id === undefined ? undefined : reply(message.method, message.params, message.id);
      if (response) this.answer(message.id, response);
    }
    this.#look();
  }

  #look() {
    for (const look of this.#watchers) look();
  }
}

module.exports = { HANDLERS, HOST, Worker };
