// Resolves imports of the SDK in versions of Node that have only these hooks. Node loads this file into the thread that
// resolves imports.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import moduleKind from './module_kind.js';

let urls = {};

export function initialize(data) {
  urls = data;
}

export function resolve(specifier, context, next) {
  return next(Object.hasOwn(urls, specifier) ? urls[specifier] : specifier, context);
}

// Detects whether a `.js` file without a package.json is an ES module, as newer versions of Node do.
export async function load(url, context, next) {
  if (process.features.require_module || !/^file:.*\.js$/.test(url)) return next(url, context);
  const file = fileURLToPath(url);
  if (moduleKind.packageType(path.dirname(file)) !== undefined) return next(url, context);
  const source = await readFile(file, 'utf8');
  if (!moduleKind.hasModuleSyntax(source)) return next(url, context);
  return { format: 'module', source, shortCircuit: true };
}
