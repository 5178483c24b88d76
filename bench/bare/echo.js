// The lower bound of a call: reads a line, parses it, and writes the payload back.
const readline = require('node:readline');
const { setTimeout: sleep } = require('node:timers/promises');

async function pause(times) {
  const took = [];
  for (let i = 0; i < times; i++) {
    const began = performance.now();
    await sleep(10);
    took.push(performance.now() - began);
  }
  return took;
}

readline.createInterface({ input: process.stdin }).on('line', async (line) => {
  const call = JSON.parse(line);
  const result = call.method === 'echo' ? call.params : await pause(call.params);
  process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id: call.id, result }) + '\n');
});
