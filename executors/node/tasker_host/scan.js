'use strict';

// Finds handler files.

const fs = require('node:fs');
const path = require('node:path');

const SKIPPED = new Set(['tasker_host', 'node_modules', '__pycache__', 'vendor', 'testdata']);
const EXTENSIONS = new Set(['.js', '.cjs', '.mjs', '.ts', '.cts', '.mts']);

// The paths of the handler files below root, sorted, and the reasons for which others are skipped, unless it is their
// name.
//
// Links to files are followed. A file with several paths is loaded once, by its own path if that is below root. Links
// to folders are not followed. A missing root has no files.
function files(root) {
  const found = { files: [], links: [], skipped: [] };
  if (fs.existsSync(root)) walk(root, found);
  const first = new Map(); // path by real path
  for (const file of [...found.files.sort(), ...found.links.sort()]) {
    const real = fs.realpathSync(file);
    if (first.has(real)) found.skipped.push([file, `it is the same file as ${path.relative(root, first.get(real))}`]);
    else first.set(real, file);
  }
  return { files: [...first.values()].sort(), skipped: found.skipped };
}

function walk(folder, found) {
  for (const entry of entries(folder, found)) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) walk(file, found);
    else if (entry.isSymbolicLink()) follow(file, found);
    else if (EXTENSIONS.has(path.extname(file))) keep(file, entry, found.files, found);
  }
}

function entries(folder, found) {
  try {
    return fs
      .readdirSync(folder, { withFileTypes: true })
      .filter(({ name }, i, all) => !/^[._]/.test(name) && !SKIPPED.has(name) && !isOnlySource(name, all));
  } catch (error) {
    found.skipped.push([folder, `it cannot be read: ${error.message}`]);
    return [];
  }
}

function keep(file, kind, among, found) {
  if (kind.isFile()) among.push(file);
  else found.skipped.push([file, 'it is no file']);
}

// Follows a link to a file. A broken link is reported only if it has the name of a handler file.
function follow(link, found) {
  const target = targetOf(link);
  if (target?.isDirectory()) found.skipped.push([link, 'it is a link to a folder, and those are not followed']);
  if (target?.isDirectory() || !EXTENSIONS.has(path.extname(link))) return;
  if (target === undefined) found.skipped.push([link, 'it is a link that leads nowhere']);
  else keep(link, target, found.links, found);
}

function targetOf(link) {
  try {
    return fs.statSync(link);
  } catch {
    return undefined; // the target is missing, or the links form a circle
  }
}

// Whether a file is a declaration, or TypeScript of which the folder also has the compiled file.
function isOnlySource(name, entries) {
  if (/\.d\.[cm]?ts$/.test(name)) return true;
  const compiled = name.replace(/\.([cm]?)ts$/, '.$1js');
  return compiled !== name && entries.some((entry) => entry.name === compiled);
}

// The paths of all source files below root, also of those that are no handler files.
function sources(folder) {
  return entriesOf(folder).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return SKIPPED.has(entry.name) || entry.name.startsWith('.') ? [] : sources(file);
    return EXTENSIONS.has(path.extname(file)) && fs.existsSync(file) ? [file] : [];
  });
}

function entriesOf(folder) {
  try {
    return fs.readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // files reports why
  }
}

module.exports = { files, sources };
