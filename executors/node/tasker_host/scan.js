'use strict';

// Finds handler files.

const fs = require('node:fs');
const path = require('node:path');

const SKIPPED = new Set(['tasker_host', 'node_modules', '__pycache__', 'vendor', 'testdata']);
const EXTENSIONS = new Set(['.js', '.cjs', '.mjs']);

// The paths of the handler files below root, sorted. Links to folders are not followed; a missing root has no files.
function files(root) {
  return fs.existsSync(root) ? walk(root).sort() : [];
}

function walk(folder) {
  return fs
    .readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !/^[._]/.test(name) && !SKIPPED.has(name))
    .flatMap((entry) => {
      const file = path.join(folder, entry.name);
      if (entry.isDirectory()) return walk(file);
      return EXTENSIONS.has(path.extname(file)) && fs.statSync(file).isFile() ? [file] : [];
    });
}

module.exports = { files };
