'use strict';

// The file descriptors of the protocol. Handlers may print, close stdout or start children. None of that may reach the
// pipes to the worker. Therefore the pipes have private numbers. Node marks inherited descriptors close-on-exec.

const { spawn } = require('node:child_process');
const net = require('node:net');
const os = require('node:os');

const { keepFrom } = require('./child_processes');

const PRIVATE_IN = 3;
const PRIVATE_OUT = 4;

// Whether the pipes to the worker are stdin and stdout.
function areStandard(env) {
  return number(env.TASKER_RPC_IN_FD, 0) <= 2 || number(env.TASKER_RPC_OUT_FD, 1) <= 2;
}

// Takes the pipes that env names. Removes the variables: otherwise a child of a handler could act as a host.
function claim(env) {
  const inFd = number(env.TASKER_RPC_IN_FD);
  const input = new net.Socket({ fd: inFd, readable: true, writable: false });
  const outFd = number(env.TASKER_RPC_OUT_FD);
  const output = new net.Socket({ fd: outFd, readable: false, writable: true });
  for (const name of ['TASKER_PROTOCOL', 'TASKER_RPC_IN_FD', 'TASKER_RPC_OUT_FD']) delete env[name];
  keepFrom([inFd, outFd]);
  return { input, output, outFd };
}

// Node cannot move a descriptor. A second process gets stdin and stdout under private numbers, and this process
// forwards signals and the exit code.
function restartOnPrivateFds(program) {
  const env = { ...process.env, TASKER_RPC_IN_FD: String(PRIVATE_IN), TASKER_RPC_OUT_FD: String(PRIVATE_OUT) };
  const args = [...process.execArgv, program];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 2, 2, 0, 1] });
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => process.exit(signal ? 128 + os.constants.signals[signal] : code));
}

function number(text, otherwise) {
  if (text === undefined && otherwise !== undefined) return otherwise;
  if (!/^\d+$/.test(text ?? '')) throw new Error(`${JSON.stringify(text)} is no file descriptor`);
  return Number(text);
}

module.exports = { areStandard, claim, restartOnPrivateFds };
