'use strict';

// The program of the thread that looks at the main one. It can do so when the main thread does nothing else any more.

const fs = require('node:fs');
const { internalBinding } = require('internal/test/binding'); // the watchdog starts this thread with --expose-internals
const os = require('node:os');
const { parentPort, workerData } = require('node:worker_threads');

const { LoadClock } = require('./load_clock');
const { LOAD_TIMEOUT, tookTooLong } = require('./load_timer');
const { look } = require('./main_stack');
const { RpcError } = require('./rpc_error');

const RUNNING = "globalThis[Symbol.for('tasker.running')]()";
const PAUSE_MS = 250; // in which code comes to a stop for a dump; the worker kills 500 ms after it asked
const LOOK_MS = 1000; // that a look at a file that loads may take at most: native code does not stop for it

// process.on takes no signals in threads, though libuv hands them to every loop that wants them.
function onSignal(callback) {
  const { Signal } = internalBinding('signal_wrap');
  const signal = new Signal();
  signal.onsignal = callback;
  signal.start(os.constants.signals.SIGUSR1);
}

function dump() {
  look(RUNNING, PAUSE_MS, (frames, running) => {
    const where = frames.length > 0 ? `main thread:${frames.map((frame) => `\n    ${frame}`).join('')}` : 'main thread: waits for events';
    fs.writeSync(2, `tasker host: SIGUSR1: ${running ?? ''}\n  ${where}\n`);
  });
}

// A file that waits for something is given up by the main thread itself, which has until then.
const grace = (ms) => Math.min(ms / 2, ms / 5 + 500);

let timer;
let loading; // the file that is loaded, or undefined

function watch({ loads, ms }) {
  clearTimeout(timer);
  loading = loads;
  if (loads !== undefined) giveUpAfter(ms, loads, ms, new LoadClock(ms));
}

// The file has what it lacks of its time, and the grace.
function giveUpAfter(wait, file, ms, clock) {
  timer = setTimeout(() => {
    if (clock.shortMs > 0) giveUpAfter(clock.shortMs, file, ms, clock);
    else giveUp(file, ms);
  }, wait + grace(ms));
}

// Names the file and ends the process.
function giveUp(file, ms) {
  const end = (frames) => {
    if (loading !== file) return; // it has come to its end meanwhile
    const backtrace = frames.filter((frame) => !frame.includes('(node:') && !frame.includes(`(${__dirname}`));
    const error = { file, class: LOAD_TIMEOUT, message: tookTooLong(ms), backtrace };
    answer({ code: RpcError.NOT_LOADED, message: `${file} does not finish loading`, data: { load_error: error } });
    fs.writeSync(2, `tasker host: cannot load ${file}: ${[`${error.message} (${error.class})`, ...backtrace].join('\n\t')}\n`);
    process.kill(process.pid, 'SIGKILL');
  };
  const lookMs = Math.min(LOOK_MS, ms / 4);
  look('undefined', lookMs, end);
  setTimeout(end, lookMs + PAUSE_MS, []);
}

function answer(error) {
  fs.writeSync(workerData.outFd, `${JSON.stringify({ jsonrpc: '2.0', id: workerData.id, error })}\n`);
}

onSignal(dump);
parentPort.on('message', watch);
parentPort.postMessage('ready');
