'use strict';

const fs = require('node:fs');

const TASKS = '/proc/self/task';
const LEAST_MS = 1000; // for a file, however much time the files before it have used

// Measures how long a file has been loading, without the time in which it waited for a processor: on a busy machine a
// file loads slowly and still finishes. On systems that do not report that time, all time counts.
class LoadClock {
  #began = performance.now();
  #waited = waitedMs();
  #leastMs;

  // ms is what the file may take.
  constructor(ms) {
    this.#leastMs = Math.max(ms / 2, LEAST_MS);
  }

  // The milliseconds until the file has used at least half of its time. The file may be given up when they are over.
  get missingMs() {
    const used = performance.now() - this.#began - (waitedMs() - this.#waited);
    return Math.max(this.#leastMs - used, 0);
  }
}

// How long threads of this process have waited for a processor.
function waitedMs() {
  let sum = 0;
  for (const task of list()) {
    try {
      sum += Number(fs.readFileSync(`${TASKS}/${task}/schedstat`, 'latin1').split(' ')[1]) / 1e6;
    } catch {
      // the thread has ended
    }
  }
  return sum;
}

function list() {
  try {
    return fs.readdirSync(TASKS);
  } catch {
    return [];
  }
}

module.exports = { LoadClock };
