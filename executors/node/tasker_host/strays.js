'use strict';

// Errors that no promise of a handler reports: rejections that nobody awaits, and what a callback throws.

const { Execution } = require('./execution');

const EXIT_INTERNAL = 70;

// Fails the execution that a stray error belongs to. One that belongs to none ends the process: exit is called with the
// code to end it with.
function watch(exit) {
  process.on('unhandledRejection', (error) => fail(error, exit));
  process.on('uncaughtException', (error) => fail(error, exit));
}

function fail(error, exit) {
  const execution = Execution.current();
  process.stderr.write(`tasker host: ${execution ? `execution ${execution.executionId}` : 'no execution'}: `);
  process.stderr.write(`error that nothing caught: ${error?.stack ?? error}\n`);
  if (execution) execution.fail(error);
  else exit(EXIT_INTERNAL);
}

module.exports = { watch };
