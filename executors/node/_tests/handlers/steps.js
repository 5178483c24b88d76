'use strict';

const { setTimeout: sleep } = require('node:timers/promises');

const tasker = require('tasker');

const forever = () => new Promise(() => {});

exports.handlers = {
  echo: (task, sequence, step) => step.config.value ?? null,
  // Says that it runs, and ends when it is cancelled, in the way that config names.
  waits: async (task, sequence, step) => {
    step.heartbeat(0, 'started');
    switch (step.config.until) {
      case 'signal':
        return new Promise((resolve, reject) => step.signal.addEventListener('abort', () => reject(step.signal.reason)));
      case 'timer':
        return sleep(600_000, null, { signal: step.signal });
      case 'checkpoint':
        await step.saveCheckpoint({ rows: 3 });
        return sleep(600_000, null, { signal: step.signal });
      case 'own error':
        await sleep(600_000, null, { signal: step.signal }).catch(() => {});
        throw new tasker.Cancelled(step.signal.reason.reason, { checkpoint: { rows: 4 } });
      case 'check':
        while (!step.cancelled) await sleep(1);
        return step.check();
      case 'finished':
        await sleep(600_000, null, { signal: step.signal }).catch(() => {});
        return 'done all the same';
      case 'listener throws':
        step.signal.addEventListener('abort', () => {
          throw new RangeError('thrown by a listener');
        });
        return forever();
      default:
        return forever();
    }
  },
  defers: (task, sequence, step) => {
    throw new tasker.Deferred(step.config.seconds, { checkpoint: step.config.checkpoint });
  },
  calls: async (task, sequence, step) => {
    const { method, args = [] } = step.config;
    try {
      return { returned: (await step[method](...args)) ?? null };
    } catch (error) {
      return { threw: error.constructor.name, message: error.message, permanent: error instanceof tasker.PermanentError };
    }
  },
  'loses its lease': async (task, sequence, step) => {
    const errors = [];
    for (const method of ['lease', 'saveCheckpoint']) await step[method]({}).catch((error) => errors.push(error.constructor.name));
    return { errors, aborted: step.signal.aborted };
  },
  asks: (task, sequence, step) => step.lease(),
  beats: async (task, sequence, step) => {
    for (const progress of step.config.progress) step.heartbeat(progress);
    await sleep(step.config.ms);
    return 'done';
  },
  secret: async (task, sequence, step) => {
    const value = await step.secret('api_key');
    console.log(`the key is ${value}`);
    tasker.log.info('key', { key: value });
    throw new Error(`refused ${value}`);
  },
  prints: async (task, sequence, step) => {
    console.log('of %s', step.config.who, { a: 1 });
    await sleep(1);
    console.error('wrong\nindeed');
    process.stdout.write('half ');
    process.stdout.write(Buffer.from('a line\nrest'));
    process.stderr.write('warned\n');
    return tasker.currentStep() === step;
  },
  floods: () => {
    for (let i = 0; i < 10_000; i++) console.log('x'.repeat(1000));
    return 'done';
  },
  'strays late': (task, sequence, step) => {
    setTimeout(() => Promise.reject(new TypeError('nobody awaits me')), 1);
    return forever();
  },
  argument: (task, sequence, step) => ({ checkpoint: step.checkpoint, scratch: step.scratch_dir, deadline: step.deadline }),
  large: (task, sequence, step) => 'x'.repeat(step.config.bytes),
  context: (task) => task.context,
};

exports.handlers.alone = Object.assign(exports.handlers.waits.bind(null), { exclusive: true });

exports.handlers.litters = () => {
  process.chdir('/');
  process.umask(0o777);
  process.env.LITTER = 'left';
  delete process.env.HOME;
  process.on('SIGUSR2', () => {});
  process.removeAllListeners('SIGTERM');
};

exports.handlers['loses its folder'] = () => {
  const folder = process.cwd();
  process.chdir('/');
  require('node:fs').rmdirSync(folder);
};

exports.handlers.looks = () => ({
  cwd: process.cwd(), umask: process.umask(), litter: process.env.LITTER, home: process.env.HOME,
  signals: ['SIGTERM', 'SIGUSR1', 'SIGUSR2'].map((name) => process.listenerCount(name)),
  listeners: ['SIGUSR2', 'SIGTERM'].map((signal) => process.listenerCount(signal)),
  child: require('node:child_process').execSync('echo $LITTER$HOME; pwd', { encoding: 'utf8' }),
});

exports.handlers.hangs = function hangsForEver(task, sequence, step) {
  step.heartbeat(0);
  for (;;);
};

// Leaves behind what captures output, fakes the time and takes the errors.
exports.handlers.replaces = () => {
  process.stdout.write = () => true;
  console.log = () => {};
  console.warn = () => {};
  globalThis.setTimeout = () => 0;
  process.env = {};
  process.exit = () => {};
  Error.stackTraceLimit = 0;
  process.removeAllListeners('uncaughtException');
  process.removeAllListeners('exit');
  process.on('unhandledRejection', () => {});
  process.setUncaughtExceptionCaptureCallback(() => {});
  process.env.TZ = 'Asia/Tokyo';
};

exports.handlers.sees = () => ({
  functions: [process.stdout.write, console.log, console.warn, setTimeout, process.exit].map(String),
  env: Object.keys(process.env).length,
  limit: Error.stackTraceLimit,
  listeners: ['uncaughtException', 'unhandledRejection', 'exit'].map((name) => process.listenerCount(name)),
  caught: process.hasUncaughtExceptionCaptureCallback(),
});

exports.handlers['moves to Tokyo'] = () => {
  process.env.TZ = 'Asia/Tokyo';
  return new Date(0).getHours();
};

exports.handlers.hours = () => new Date(0).getHours();

exports.handlers['prints late'] = (task, sequence, step) => {
  process.stdout.write(Buffer.from([0xc3])); // half of a character
  setTimeout(() => process.stdout.write(step.config.text), 20);
};
