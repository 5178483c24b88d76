'use strict';

// Text that an execution prints becomes log records of the execution, also if its timers print after its end: otherwise
// it would appear as text of the next step. Other text goes to the original streams: text of files that load, of child
// processes and of native code.

const { Execution } = require('./execution');

const LEVELS = {
  debug: 'debug', log: 'info', info: 'info', warn: 'warn', error: 'error', trace: 'error', assert: 'error',
};

let consoleLevel; // the level of the console method that is printing; it prints a whole message at once

// Wraps console, process.stdout and process.stderr.
function capture(log) {
  for (const [method, level] of Object.entries(LEVELS)) wrapConsole(method, level);
  wrapStream('stdout', log);
  wrapStream('stderr', log);
}

function wrapConsole(method, level) {
  const print = console[method];
  console[method] = (...args) => {
    if (!Execution.current()) return print.apply(console, args);
    const before = consoleLevel;
    consoleLevel = level;
    try {
      return print.apply(console, args);
    } finally {
      consoleLevel = before;
    }
  };
}

function wrapStream(name, log) {
  const stream = process[name];
  const write = stream.write;
  stream.write = function writeOrRecord(chunk, encoding, callback) {
    const execution = Execution.current();
    if (!execution) return write.apply(this, arguments);
    record(log, execution, name, chunk, encoding);
    const done = typeof encoding === 'function' ? encoding : callback;
    if (typeof done === 'function') process.nextTick(done);
    return true;
  };
}

function record(log, execution, stream, chunk, encoding) {
  if (consoleLevel) {
    log.prints(execution, [[stream, String(chunk).replace(/\n$/, '')]], consoleLevel);
    return;
  }
  log.prints(execution, execution.print(stream, chunk, encoding).map((line) => [stream, line]));
  if (execution.ended) log.prints(execution, execution.printRest()); // the execution has logged its last line
}

module.exports = { capture };
