'use strict';

// Finds handler files.

const fs = require('node:fs');
const path = require('node:path');

const SKIPPED = new Set(['tasker_host', 'node_modules', '__pycache__', 'vendor', 'testdata']);
const EXTENSIONS = new Set(['.js', '.cjs', '.mjs', '.ts', '.cts', '.mts']);

// The paths of the handler files below root, sorted. Links to folders are not followed; a missing root has no files.
function files(root) {
  return fs.existsSync(root) ? walk(root).sort() : [];
}

function walk(folder) {
  return fs
    .readdirSync(folder, { withFileTypes: true })
    .filter(({ name }, i, entries) => !/^[._]/.test(name) && !SKIPPED.has(name) && !isOnlySource(name, entries))
    .flatMap((entry) => {
      const file = path.join(folder, entry.name);
      if (entry.isDirectory()) return walk(file);
      return EXTENSIONS.has(path.extname(file)) && fs.statSync(file).isFile() ? [file] : [];
    });
}

// Declarations, and the TypeScript that a file beside it was compiled from.
function isOnlySource(name, entries) {
  if (/\.d\.[cm]?ts$/.test(name)) return true;
  const compiled = name.replace(/\.([cm]?)ts$/, '.$1js');
  return compiled !== name && entries.some((entry) => entry.name === compiled);
}

module.exports = { files };
