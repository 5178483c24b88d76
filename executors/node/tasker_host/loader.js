'use strict';

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

const current = require('./current');
const failure = require('./failure');
const { Handler, served } = require('./handler');
const { LoadClock } = require('./load_clock');
const { LOAD_TIMEOUT, tookTooLong } = require('./load_timer');
const { isModule } = require('./module_kind');
const scan = require('./scan');
const sdkResolution = require('./sdk_resolution');

const NAME_BYTES = 200;
const CHECK_MS = 10_000;
const SHARE = 0.5; // the part of the remaining time that one file may take

// Two handlers have one name.
class DuplicateHandler extends Error {
  static name = 'Tasker::DuplicateHandler';
}

// A file called process.exit, which would end all steps.
class Exit extends Error {
  static name = 'SystemExit';
}

// A file does not finish loading.
class LoadTimeout extends Error {
  static name = LOAD_TIMEOUT;
}

// Loads every handler file below a folder and registers the handlers. A request can name only handlers that were
// registered here: no name in a request becomes a path or a property.
class Loader {
  #root;
  #deadline;
  #skip;
  #watchdog;
  #log;
  #loading; // {path, fail} of the file that is loaded now

  // handlers by name, and errors by file as the worker reports them; complete after load.
  constructor(root, { startupMs, skip, watchdog, log }) {
    this.#root = root && fs.existsSync(root) ? fs.realpathSync(root) : '';
    this.#deadline = startupMs; // both the clock and the worker's timeout begin at the start of the process
    this.#skip = new Set(skip);
    this.#watchdog = watchdog;
    this.#log = log;
    this.handlers = new Map();
    this.errors = [];
  }

  get root() {
    return this.#root;
  }

  async load() {
    sdkResolution.forRequire();
    if (this.#root === '') return;
    resolveImportsIfUsed(this.#root);
    guardExit();
    const { files, skipped } = scan.files(this.#root);
    for (const [file, reason] of skipped) {
      this.#log.warn(`node/${path.relative(this.#root, file)} is not loaded: ${reason}`);
    }
    for (const file of files) if (!this.#skip.has(path.relative(this.#root, file))) await this.#loadFile(file);
  }

  // Takes an uncaught error of the file, and returns the file's load error. Removes the handlers of the file. If the
  // file is loading, its loading ends.
  failFile(relative, error) {
    if (this.#loading?.path === relative) this.#loading.fail(error);
    else this.#refuse(relative, error);
    return this.errors.find(({ file }) => file === relative);
  }

  async #loadFile(file) {
    const relative = path.relative(this.#root, file);
    try {
      const exported = await this.#inTime(relative, () => load(file));
      for (const [name, target] of served(exported, baseOf(relative))) this.#register(name, relative, target);
    } catch (error) {
      this.#refuse(relative, error);
    }
  }

  // Resolves like work, which runs as code of the file. The watchdog ends code that holds the event loop.
  async #inTime(relative, work) {
    const ms = Math.max(this.#deadline - performance.now(), 0) * SHARE;
    this.#watchdog.fileLoads(relative, ms);
    let timer;
    const failed = new Promise((resolve, reject) => {
      this.#loading = { path: relative, fail: reject };
      const clock = new LoadClock(ms);
      const giveUp = () => {
        if (clock.missingMs > 0) timer = setTimeout(giveUp, clock.missingMs);
        else reject(new LoadTimeout(tookTooLong(ms)));
      };
      timer = setTimeout(giveUp, ms);
    });
    try {
      return await Promise.race([current.run(new current.LoadedFile(relative), work), failed]);
    } finally {
      clearTimeout(timer);
      this.#loading = undefined;
      this.#watchdog.fileLoaded();
    }
  }

  #refuse(relative, error) {
    for (const [name, { file }] of this.handlers) if (file === relative) this.handlers.delete(name);
    if (this.errors.some(({ file }) => file === relative)) return; // the first error names the cause
    const file = path.join(this.#root, relative);
    this.#report(file, failure.ofLoad(relative, error, sourceOf(error, file)));
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

// The handler of that name in file, which is relative to root.
async function handlerIn(root, file, name) {
  resolveImportsIfUsed(root);
  for (const [other, target] of served(await load(path.join(root, file)), baseOf(file))) {
    if (other === name) return new Handler(name, file, target);
  }
  throw new Error(`${file} does not serve ${name} in a thread: what it exports must not depend on where it is loaded`);
}

// Makes process.exit in code of a file an error of the file, also in its timers and callbacks.
function guardExit() {
  const { exit } = process;
  process.exit = (code) => {
    if (current.file()) throw new Exit(`process.exit(${code ?? ''}) in a file that is loaded, outside of any step`);
    return exit.call(process, code);
  };
}

function baseOf(relative) {
  return relative.slice(0, -path.extname(relative).length).replaceAll(path.sep, '.');
}

// This version of Node cannot run a TypeScript file.
class NoTypeScript extends Error {
  static name = 'Tasker::NoTypeScript';
}

// The exports of the file, a CommonJS or ES module.
async function load(file) {
  const extension = path.extname(file);
  if (extension.endsWith('ts') && !runsTypeScript()) {
    throw new NoTypeScript(
      `this is Node ${process.versions.node}, which does not run TypeScript: ` +
        'use Node 22.18 or newer, or compile the file to .js',
    );
  }
  if (mayImport(file)) sdkResolution.forImport(); // the file may be a link to a file outside the folder
  if (isModule(fs.realpathSync(file))) return import(pathToFileURL(file));
  try {
    return require(file);
  } catch (error) {
    if (error?.code !== 'ERR_REQUIRE_ESM' && error?.code !== 'ERR_REQUIRE_ASYNC_MODULE') throw error;
    return import(pathToFileURL(file));
  }
}

// Whether Node, or a loader that NODE_OPTIONS names, runs TypeScript.
function runsTypeScript() {
  return Boolean(process.features.typescript || require.extensions['.ts']);
}

let importsChecked = false;

// Makes imports find the SDK if any file imports, also a helper that a step requires later.
function resolveImportsIfUsed(root) {
  if (importsChecked) return;
  importsChecked = true;
  if (scan.sources(root).some(mayImport)) sdkResolution.forImport();
}

function mayImport(file) {
  try {
    return path.extname(file).startsWith('.m') || /\bimport\b|^\s*export\b/m.test(fs.readFileSync(file, 'utf8'));
  } catch {
    return false; // loading the file reports why it cannot be read
  }
}

// The file, line and caret of a SyntaxError. Node puts them before the message, except for ES modules. For those,
// `node --check` shows them.
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
