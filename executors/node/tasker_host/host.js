'use strict';

// The Node host: a long-lived process that runs the step handlers of one folder for tasker-worker. It claims its two
// pipes before anything else can touch them, loads the handlers when the worker says which folder, and then runs steps
// until the worker closes the pipe.

const fds = require('./fds');

function main() {
  if (process.env.TASKER_PROTOCOL !== '1') {
    const hint = 'tasker-worker starts this program and talks to it over pipes; run `tasker-worker run` instead';
    process.stderr.write(`tasker host: ${hint}\n`);
    process.exitCode = 64;
    return;
  }
  process.on('SIGINT', () => {});
  if (fds.areStandard(process.env)) {
    fds.restartOnPrivateFds(__filename);
    return;
  }
  serve();
}

function serve() {
  const { Server } = require('./server');
  try {
    const { input, output } = fds.claim(process.env);
    new Server(input, output).run();
  } catch (error) {
    const names = 'TASKER_RPC_IN_FD and TASKER_RPC_OUT_FD';
    process.stderr.write(`tasker host: cannot use the pipes that ${names} name: ${error.message}\n`);
    process.exitCode = 78;
  }
}

main();
