'use strict';

const { execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');

const held = [];

const actions = {
  pid: () => process.pid,
  wait: () => {
    console.log('waiting in node');
    return new Promise(() => {});
  },
  exit_with: (status) => {
    console.error('last words of node');
    process.exit(status);
  },
  crash: () => {
    console.error('last words of node');
    process.kill(process.pid, 'SIGSEGV');
  },
  spin: () => {
    fs.writeSync(1, 'spinning in node\n');
    for (;;);
  },
  surroundings: () => {
    const stat = fs.readFileSync('/proc/self/stat', 'utf8').replace(/.*\) /, '').split(' ');
    const signals = fs.readFileSync('/proc/thread-self/status', 'utf8').match(/^Sig(?:Blk|Ign|Cgt):.*/gm);
    return {
      cwd: process.cwd(),
      environment: { ...process.env },
      group: Number(stat[2]),
      session: Number(stat[3]),
      signals,
      umask: process.umask(),
    };
  },
  chdir: (folder) => process.chdir(folder),
  set_umask: (mask) => process.umask(mask),
  set_environment: () => {
    process.env.POLLUTED = 'yes';
    delete process.env.HOME;
  },
  set_signals: () => {
    process.removeAllListeners('SIGTERM');
    process.on('SIGUSR2', () => {});
  },
  close_descriptors: (numbers) => numbers.forEach((fd) => fs.closeSync(fd)),
  run_python: (args) => JSON.parse(execFileSync('python3', args)),
  leak_memory: (megabytes) => {
    held.push(Buffer.alloc(megabytes << 20, 'x'));
    return process.pid;
  },
  // Returns how many children could be started.
  multiply: async (number) => {
    let started = 0;
    while (started < number) {
      const child = spawn('sleep', ['60'], { stdio: 'ignore' });
      held.push(child);
      if (child.pid === undefined) {
        child.on('error', () => {});
        break;
      }
      started += 1;
    }
    return started;
  },
  leak_connection: (address) => {
    const [host, port] = address.split(':');
    return new Promise((resolve, reject) => {
      const socket = net.connect(port, host, () => resolve(process.env.TASKER_SCRATCH_DIR));
      socket.on('error', reject);
      held.push(socket);
    });
  },
};

// Does to its process what handlers should not do: the task's context says what.
module.exports = async (task) => actions[task.context.do](task.context.argument);
