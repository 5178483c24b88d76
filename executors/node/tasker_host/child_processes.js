'use strict';

// Keeps the pipes to the worker out of the child processes of handlers. Node starts a child without the descriptors of
// this process. A handler could still pass them on by number, which fails here.

const { ChildProcess } = require('node:child_process');

// fds are those of the pipes.
function keepFrom(fds) {
  const { spawn } = ChildProcess.prototype;
  ChildProcess.prototype.spawn = function spawnWithout(options) {
    if (Array.isArray(options?.stdio)) {
      for (const [i, item] of options.stdio.entries()) check(item === 'inherit' ? i : item, fds);
    }
    return spawn.call(this, options);
  };
}

function check(fd, fds) {
  if (fds.includes(fd)) throw new Error(`file descriptor ${fd} leads to the worker, and no child can have it`);
}

module.exports = { keepFrom };
