'use strict';

const fs = require('node:fs');

const TASKS = '/proc/self/task';
const LEAST_MS = 1000; // that a file has, however little time the files before it have left

// How long a file has been loading, without the time in which others had the processor: a file that is kept waiting by a busy machine
// is not one that does not finish. Systems that do not tell that time count all of it.
class LoadClock {
  #began = performance.now();
  #waited = waitedMs();
  #leastMs;

  // ms is what the file may take.
  constructor(ms) {
    this.#leastMs = Math.max(ms / 2, LEAST_MS);
  }

  // In how many milliseconds the file may be given up, if it may not be now. It has had at least half of its time then.
  get shortMs() {
    const had = performance.now() - this.#began - (waitedMs() - this.#waited);
    return Math.max(this.#leastMs - had, 0);
  }
}

// How long threads of this process were ready to run, and did not.
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
