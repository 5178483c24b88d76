'use strict';

// Errors that no promise of a handler reports: rejections that nobody awaits, and what a callback throws.

const current = require('./current');
const { Execution } = require('./execution');

const EXIT_INTERNAL = 70;

// Fails the execution that a stray error belongs to. blame is called with one that belongs to a file and returns whether that ends
// the matter. One that belongs to nothing ends the process: exit is called with the code to end it with.
function watch(exit, blame = () => false) {
  process.on('unhandledRejection', (error) => fail(error, exit, blame));
  process.on('uncaughtException', (error) => fail(error, exit, blame));
}

function fail(error, exit, blame) {
  const execution = Execution.current();
  const file = current.file();
  process.stderr.write(`tasker host: ${ownerOf(execution, file)}: error that nothing caught: ${error?.stack ?? error}\n`);
  if (execution) execution.fail(error);
  else if (!file || !blame(file.path, error)) exit(EXIT_INTERNAL);
}

function ownerOf(execution, file) {
  if (execution) return `execution ${execution.executionId}`;
  return file ? `what node/${file.path} started when it was loaded` : 'no execution';
}

module.exports = { watch };
