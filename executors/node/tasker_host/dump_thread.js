'use strict';

// The program of the thread that prints the stack of the main thread on SIGUSR1.

const fs = require('node:fs');
const { Session } = require('node:inspector');
const os = require('node:os');
const { parentPort } = require('node:worker_threads');

const PAUSE_MS = 250; // in which code that runs comes to a stop; the worker kills 500 ms after the signal

// process.on takes no signals in threads, though libuv hands them to every loop that wants them.
function onSignal(callback) {
  process.noDeprecation = true; // there is no other way to it
  const { Signal } = process.binding('signal_wrap');
  const signal = new Signal();
  signal.onsignal = callback;
  signal.start(os.constants.signals.SIGUSR1);
}

let dumping = false; // two sessions would pause what the other one evaluates

function dump() {
  if (dumping) return;
  dumping = true;
  const session = new Session();
  const urls = new Map();
  let stopped = false;
  session.connectToMainThread();
  const timer = setTimeout(() => {
    stopped = true;
    session.post('Debugger.disable'); // or what is evaluated next would be paused, for ever
    print(session, []);
  }, PAUSE_MS);
  session.on('Debugger.scriptParsed', ({ params }) => urls.set(params.scriptId, params.url));
  session.once('Debugger.paused', ({ params }) => {
    if (stopped) return;
    clearTimeout(timer);
    print(session, params.callFrames.map((frame) => described(frame, urls.get(frame.location.scriptId))));
  });
  session.post('Debugger.enable');
  session.post('Debugger.pause');
}

function described({ functionName, location }, url) {
  return `\n    at ${functionName || '(anonymous)'} (${String(url).replace('file://', '')}:${location.lineNumber + 1})`;
}

function print(session, frames) {
  const expression = "globalThis[Symbol.for('tasker.running')]()";
  session.post('Runtime.evaluate', { expression, silent: true }, (error, { result } = {}) => {
    const where = frames.length > 0 ? `main thread:${frames.join('')}` : 'main thread: waits for events';
    fs.writeSync(2, `tasker host: SIGUSR1: ${result?.value ?? ''}\n  ${where}\n`);
    session.disconnect();
    dumping = false;
  });
}

onSignal(dump);
parentPort.postMessage('ready');
