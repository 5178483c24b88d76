'use strict';

// The owner of the running code: an execution, a file that the loader loads, or none. It follows timers, promises and
// callbacks.

const { AsyncLocalStorage } = require('node:async_hooks');

const owners = new AsyncLocalStorage();

// A handler file as the owner of code that runs while the file loads, and of timers and promises that this code
// creates.
class LoadedFile {
  // path is relative to the root of the handlers.
  constructor(path) {
    this.path = path;
  }
}

function run(owner, work) {
  return owners.run(owner, work);
}

function owner() {
  return owners.getStore();
}

// The file to which the running code belongs, or undefined.
function file() {
  const found = owners.getStore();
  return found instanceof LoadedFile ? found : undefined;
}

module.exports = { LoadedFile, file, owner, run };
