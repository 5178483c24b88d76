'use strict';

// Errors that no promise of a handler reports: rejections that nobody awaits, and what a callback throws.

const { Execution } = require('./execution');

const EXIT_INTERNAL = 70;

// Fails the execution that a stray error belongs to. One that belongs to none ends the process.
function watch() {
  process.on('unhandledRejection', fail);
  process.on('uncaughtException', fail);
}

function fail(error) {
  const execution = Execution.current();
  process.stderr.write(`tasker host: ${execution ? `execution ${execution.executionId}` : 'no execution'}: `);
  process.stderr.write(`error that nothing caught: ${error?.stack ?? error}\n`);
  if (!execution) process.exit(EXIT_INTERNAL);
  execution.fail(error);
}

module.exports = { watch };
