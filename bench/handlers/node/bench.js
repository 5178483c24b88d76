const { setTimeout: sleep } = require('node:timers/promises');

function fibonacci(n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

exports.noop = (task, sequence, step) => ({
  ok: true, step: step.name, note: 'about a hundred bytes, as the results of small steps usually are',
});

exports.fibo = () => ({ ok: true, fibo: fibonacci(10) });

exports.echo = (task) => task.context;

exports.pause = async () => {
  await sleep(10);
  return { ok: true };
};
