'use strict';

// The Node host: a long-lived process that runs the step handlers of one folder for tasker-worker. It takes its two
// pipes first, loads the handlers of the folder that the worker names, and then runs steps until the worker closes the
// pipe.

const fds = require('./fds');

const EXIT_USAGE = 64;
const EXIT_CONFIGURATION = 78;

const NO_WORKER = 'tasker-worker starts this program and talks to it over pipes; run `tasker-worker run` instead';
// node:cluster starts the program of its process again.
const CLUSTER =
  'a handler called cluster.fork(), and this is the program that it would start: ' +
  'name another with cluster.setupPrimary({ exec })';

function main() {
  if (process.env.TASKER_PROTOCOL !== '1') {
    stop(EXIT_USAGE, require('node:cluster').isWorker ? CLUSTER : NO_WORKER);
    return;
  }
  process.on('SIGINT', () => {});
  let pipes;
  try {
    if (fds.areStandard(process.env)) {
      fds.restartOnPrivateFds(__filename);
      return;
    }
    pipes = fds.claim(process.env);
  } catch (error) {
    stop(EXIT_CONFIGURATION, `cannot use the pipes of TASKER_RPC_IN_FD and TASKER_RPC_OUT_FD: ${error.message}`);
    return;
  }
  const { Server } = require('./server');
  new Server(pipes.input, pipes.output, pipes.outFd).run();
}

function stop(code, message) {
  process.stderr.write(`tasker host: ${message}\n`);
  process.exitCode = code;
  if (process.connected) process.exit(); // the channel of node:cluster would keep the process running
}

main();
