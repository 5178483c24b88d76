'use strict';

// What handlers print inside an execution becomes log records of that execution. Everything else is printed as ever:
// what files print while they are loaded, and what children and native code write.

const { StringDecoder } = require('node:string_decoder');

const { Execution } = require('./execution');

const LEVELS = { debug: 'debug', log: 'info', info: 'info', warn: 'warn', error: 'error', trace: 'error', assert: 'error' };

let spoken; // the level of the console method that is printing, which prints a whole message at once

// Takes over console, process.stdout and process.stderr.
function capture(log) {
  for (const [method, level] of Object.entries(LEVELS)) wrapConsole(method, level);
  wrapStream('stdout', log);
  wrapStream('stderr', log);
}

function wrapConsole(method, level) {
  const print = console[method];
  console[method] = (...args) => {
    if (!Execution.current()) return print.apply(console, args);
    const before = spoken;
    spoken = level;
    try {
      return print.apply(console, args);
    } finally {
      spoken = before;
    }
  };
}

function wrapStream(name, log) {
  const stream = process[name];
  const write = stream.write;
  const decoder = new StringDecoder();
  stream.write = function writeOrRecord(chunk, encoding, callback) {
    const execution = Execution.current();
    if (!execution || execution.ended) return write.apply(this, arguments);
    record(log, execution, name, text(chunk, encoding, decoder));
    const done = typeof encoding === 'function' ? encoding : callback;
    if (typeof done === 'function') process.nextTick(done);
    return true;
  };
}

function text(chunk, encoding, decoder) {
  if (typeof chunk !== 'string') return decoder.write(Buffer.from(chunk));
  return typeof encoding === 'string' && !/^utf-?8$/i.test(encoding) ? Buffer.from(chunk, encoding).toString() : chunk;
}

function record(log, execution, stream, printed) {
  if (spoken) {
    log.prints(execution, [[stream, printed.replace(/\n$/, '')]], spoken);
    return;
  }
  log.prints(execution, execution.print(stream, printed).map((line) => [stream, line]));
}

module.exports = { capture };
