'use strict';

// What handlers print inside an execution becomes log records of that execution, also what timers of it print after its end: as a
// line of the process it would pass for the next step's. Everything else is printed as ever: what files print while they are
// loaded, and what children and native code write.

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
  if (spoken) {
    log.prints(execution, [[stream, String(chunk).replace(/\n$/, '')]], spoken);
    return;
  }
  log.prints(execution, execution.print(stream, chunk, encoding).map((line) => [stream, line]));
  if (execution.ended) log.prints(execution, execution.printRest()); // nobody else will ask for it
}

module.exports = { capture };
