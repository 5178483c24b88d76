'use strict';

// Errors that no promise of a handler reports: unhandled rejections, and errors that a callback throws.

const current = require('./current');
const { Execution } = require('./execution');

const EXIT_INTERNAL = 70;

// Fails the execution to which an uncaught error belongs. An error that belongs to a file is passed to handleFileError,
// which returns whether it has handled the error. Any other error ends the process: exit is called with the exit code.
function watch(exit, handleFileError = () => false) {
  process.on('unhandledRejection', (error) => fail(error, exit, handleFileError));
  process.on('uncaughtException', (error) => fail(error, exit, handleFileError));
}

function fail(error, exit, handleFileError) {
  const execution = Execution.current();
  const file = current.file();
  const owner = ownerOf(execution, file);
  process.stderr.write(`tasker host: ${owner}: error that nothing caught: ${error?.stack ?? error}\n`);
  if (execution) execution.fail(error);
  else if (!file || !handleFileError(file.path, error)) exit(EXIT_INTERNAL);
}

function ownerOf(execution, file) {
  if (execution) return `execution ${execution.executionId}`;
  return file ? `what node/${file.path} started when it was loaded` : 'no execution';
}

module.exports = { watch };
