'use strict';

// Payloads that are too large for a message, as files in the scratch folder of the execution.

const { createHash, randomUUID } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const { Invalid, TooLarge, checkBytes, text } = require('./result_json');

// The members of a response that carry value: text, or a promise of text if value is written to a file.
function resultMembers(value, limits, scratchDir) {
  const json = text('result', value, limits.maxDepth);
  const bytes = Buffer.byteLength(json);
  if (bytes <= limits.maxBytes) return `"result":${json}`;
  if (!limits.maxFileBytes || typeof scratchDir !== 'string') checkBytes('result', bytes, limits.maxBytes);
  checkBytes('result', bytes, limits.maxFileBytes);
  return write(json, bytes, path.join(scratchDir, `result-${randomUUID()}.json`));
}

async function write(json, bytes, file) {
  await fs.promises.writeFile(file, json, { flag: 'wx', mode: 0o600 });
  const sha256 = createHash('sha256').update(json).digest('hex');
  return `"result_file":${JSON.stringify({ path: path.basename(file), bytes, sha256 })}`;
}

// The text of the described file, after its size and hash are checked.
function read({ path: name, bytes, sha256 } = {}, scratchDir, maxBytes) {
  const isName = typeof name === 'string' && path.basename(name) === name && !/^\.{0,2}$/.test(name);
  if (typeof scratchDir !== 'string' || !isName) {
    throw new Invalid('params_file names no file of scratch_dir');
  }
  const data = contents(path.join(scratchDir, name), maxBytes);
  if (data.length !== bytes) throw new Invalid(`${name} has ${data.length} bytes instead of ${bytes}`);
  if (createHash('sha256').update(data).digest('hex') !== sha256) throw new Invalid(`${name} has another SHA-256`);
  return data.toString();
}

function contents(file, maxBytes) {
  const fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
  try {
    const status = fs.fstatSync(fd);
    if (!status.isFile()) throw new Invalid(`${path.basename(file)} is no regular file`);
    if (status.size > maxBytes) throw new TooLarge(`${path.basename(file)} has more than ${maxBytes} bytes`);
    return fs.readFileSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

module.exports = { read, resultMembers };
