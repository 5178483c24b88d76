'use strict';

// What the running code belongs to: an execution, a file that the loader loaded, or nothing. It follows timers, promises and
// callbacks.

const { AsyncLocalStorage } = require('node:async_hooks');

const owners = new AsyncLocalStorage();

// A handler file, while it is loaded and in whatever it started then.
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

// The file that the running code belongs to, or undefined.
function file() {
  const found = owners.getStore();
  return found instanceof LoadedFile ? found : undefined;
}

module.exports = { LoadedFile, file, owner, run };
