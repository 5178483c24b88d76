'use strict';

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

const failure = require('./failure');
const { Handler, served } = require('./handler');
const scan = require('./scan');
const sdkResolution = require('./sdk_resolution');

const NAME_BYTES = 200;
const CHECK_MS = 10_000;

// Two handlers have one name.
class DuplicateHandler extends Error {
  static name = 'Tasker::DuplicateHandler';
}

// A file ended the process, which would take all the others with it.
class Exit extends Error {
  static name = 'SystemExit';
}

// Loads every handler file below a folder and finds what to serve. Handlers are found by name in what was loaded here
// and nowhere else: no name that arrives later is turned into a path or a property.
class Loader {
  #root;

  // handlers by name, and errors by file as the worker reports them; complete after load.
  constructor(root) {
    this.#root = root && fs.existsSync(root) ? fs.realpathSync(root) : '';
    this.handlers = new Map();
    this.errors = [];
  }

  get root() {
    return this.#root;
  }

  async load() {
    sdkResolution.forRequire();
    if (this.#root === '') return;
    for (const file of scan.files(this.#root)) await this.#loadFile(file);
  }

  async #loadFile(file) {
    const relative = path.relative(this.#root, file);
    try {
      for (const [name, target] of served(await withoutExit(() => load(file)), baseOf(relative))) this.#register(name, relative, target);
    } catch (error) {
      this.#report(file, failure.ofLoad(relative, error, sourceOf(error, file)));
    }
  }

  #register(name, file, target) {
    const bytes = Buffer.byteLength(name);
    if (bytes === 0 || bytes > NAME_BYTES) throw new Error(`a handler name must have 1 to ${NAME_BYTES} bytes`);
    const first = this.handlers.get(name);
    if (first) {
      throw new DuplicateHandler(`${name} is defined in ${first.file} and again in ${file}; the first one is served`);
    }
    this.handlers.set(name, new Handler(name, file, target));
  }

  #report(file, described) {
    this.errors.push(described);
    const head = `tasker host: cannot load ${file}: ${described.message} (${described.class})`;
    process.stderr.write(`${[head, ...described.backtrace].join('\n\t')}\n`);
  }
}

// The handler that goes by name in file, which is relative to root.
async function handlerIn(root, file, name) {
  for (const [other, target] of served(await load(path.join(root, file)), baseOf(file))) {
    if (other === name) return new Handler(name, file, target);
  }
  throw new Error(`${file} does not serve ${name} in a thread: what it exports must not depend on where it is loaded`);
}

// What load resolves to; process.exit is an error meanwhile.
async function withoutExit(load) {
  const { exit } = process;
  process.exit = (code) => {
    throw new Exit(`process.exit(${code ?? ''}) while the file was loaded`);
  };
  try {
    return await load();
  } finally {
    process.exit = exit;
  }
}

function baseOf(relative) {
  return relative.slice(0, -path.extname(relative).length).replaceAll(path.sep, '.');
}

// A TypeScript file, and a Node that cannot run it.
class NoTypeScript extends Error {
  static name = 'Tasker::NoTypeScript';
}

// What the file exports, whichever kind of module it is.
async function load(file) {
  const extension = path.extname(file);
  if (extension.endsWith('ts') && !runsTypeScript()) {
    throw new NoTypeScript(
      `this is Node ${process.versions.node}, which does not run TypeScript: use Node 22.18 or newer, or compile the file to .js`,
    );
  }
  if (mayImport(file)) sdkResolution.forImport();
  if (extension.startsWith('.m')) return import(pathToFileURL(file));
  try {
    return require(file);
  } catch (error) {
    if (error?.code !== 'ERR_REQUIRE_ESM' && error?.code !== 'ERR_REQUIRE_ASYNC_MODULE') throw error;
    return import(pathToFileURL(file));
  }
}

// Node itself, or a loader that NODE_OPTIONS names.
function runsTypeScript() {
  return Boolean(process.features.typescript || require.extensions['.ts']);
}

function mayImport(file) {
  return path.extname(file).startsWith('.m') || /\bimport\b|^\s*export\b/m.test(fs.readFileSync(file, 'utf8'));
}

// The file, line and caret of a SyntaxError. Node puts them before the message, but keeps them to itself for ES modules;
// checking the file alone shows them.
function sourceOf(error, file) {
  if (!(error instanceof SyntaxError)) return [];
  const shown = beforeMessage(error.stack);
  if (shown.length > 0) return shown;
  return beforeMessage(spawnSync(process.execPath, ['--check', file], { encoding: 'utf8', timeout: CHECK_MS }).stderr);
}

function beforeMessage(text) {
  const lines = String(text ?? '').split('\n');
  const end = lines.findIndex((line) => line.startsWith('SyntaxError'));
  return lines.slice(0, Math.max(end, 0)).filter((line) => line.trim() !== '');
}

module.exports = { Loader, handlerIn };
