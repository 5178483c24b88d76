'use strict';

// The program of the watchdog thread. It works also while code holds the event loop of the main thread.

const fs = require('node:fs');
const { internalBinding } = require('internal/test/binding'); // the watchdog starts this thread with --expose-internals
const os = require('node:os');
const { parentPort, workerData } = require('node:worker_threads');

const { LoadClock } = require('./load_clock');
const { LOAD_TIMEOUT, tookTooLong } = require('./load_timer');
const { readStack } = require('./main_stack');
const { RpcError } = require('./rpc_error');

const RUNNING = "globalThis[Symbol.for('tasker.running')]()";
const PAUSE_MS = 250; // in which code pauses for a dump; the worker kills the process 500 ms after the signal
const STACK_MS_MAX = 1000; // to read the stack of a file that loads: native code does not pause

// Handles SIGUSR1 in this thread. process.on does not work in threads, but libuv delivers signals to every loop.
function onSignal(callback) {
  const { Signal } = internalBinding('signal_wrap');
  const signal = new Signal();
  signal.onsignal = callback;
  signal.start(os.constants.signals.SIGUSR1);
}

function dump() {
  readStack(RUNNING, PAUSE_MS, (frames, running) => {
    const stack = frames.map((frame) => `\n    ${frame}`).join('');
    const where = `main thread:${stack || ' waits for events'}`;
    fs.writeSync(2, `tasker host: SIGUSR1: ${running ?? ''}\n  ${where}\n`);
  });
}

// The time in which the main thread gives up a file that waits, before this thread does.
const grace = (ms) => Math.min(ms / 2, ms / 5 + 500);

let timer;
let loading; // the file that is loading, or undefined

function watch({ loads, ms }) {
  clearTimeout(timer);
  loading = loads;
  if (loads !== undefined) giveUpAfter(ms, loads, ms, new LoadClock(ms));
}

// Gives up the file after wait and the grace, if the file has used at least half of its time.
function giveUpAfter(wait, file, ms, clock) {
  timer = setTimeout(() => {
    if (clock.missingMs > 0) giveUpAfter(clock.missingMs, file, ms, clock);
    else giveUp(file, ms);
  }, wait + grace(ms));
}

// Names the file and ends the process.
function giveUp(file, ms) {
  const end = (frames) => {
    if (loading !== file) return; // the file has finished meanwhile
    const backtrace = frames.filter((frame) => !frame.includes('(node:') && !frame.includes(`(${__dirname}`));
    const error = { file, class: LOAD_TIMEOUT, message: tookTooLong(ms), backtrace };
    answer({ code: RpcError.NOT_LOADED, message: `${file} does not finish loading`, data: { load_error: error } });
    const lines = [`tasker host: cannot load ${file}: ${error.message} (${error.class})`, ...backtrace];
    fs.writeSync(2, `${lines.join('\n\t')}\n`);
    process.kill(process.pid, 'SIGKILL');
  };
  const stackMs = Math.min(STACK_MS_MAX, ms / 4);
  readStack('undefined', stackMs, end);
  setTimeout(end, stackMs + PAUSE_MS, []);
}

function answer(error) {
  fs.writeSync(workerData.outFd, `${JSON.stringify({ jsonrpc: '2.0', id: workerData.id, error })}\n`);
}

onSignal(dump);
parentPort.on('message', watch);
parentPort.postMessage('ready');
