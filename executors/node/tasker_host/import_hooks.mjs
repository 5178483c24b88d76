// Resolves imports of the SDK, where Node has no hooks but these. Loaded by Node into the thread that resolves imports.

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

// A `.js` file of which no package.json says what it is: newer versions of Node look into it, and so does this.
export async function load(url, context, next) {
  if (process.features.require_module || !/^file:.*\.js$/.test(url)) return next(url, context);
  const file = fileURLToPath(url);
  if (moduleKind.packageType(path.dirname(file)) !== undefined) return next(url, context);
  const source = await readFile(file, 'utf8');
  if (!moduleKind.hasModuleSyntax(source)) return next(url, context);
  return { format: 'module', source, shortCircuit: true };
}
