'use strict';

// Whether a file is an ES module and must be imported. Before Node 22.15, require of an ES module has no hooks, so the
// module could not import the SDK.

const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

const MAY_BE_MODULE = /\bimport\b|^\s*export\b|\bawait\b/m;
// The messages of V8 for an ES module that is compiled as CommonJS. Node detects an ES module by the same messages.
const MODULE_SYNTAX = [
  'Cannot use import statement outside a module',
  "Unexpected token 'export'",
  "Cannot use 'import.meta' outside a module",
  'await is only valid in async functions and the top level bodies of modules',
];
const PARAMETERS = ['exports', 'require', 'module', '__filename', '__dirname'];

// Whether the file at this real path must be imported.
function isModule(file) {
  const extension = path.extname(file);
  if (extension.startsWith('.m')) return true;
  if (extension.startsWith('.c')) return false;
  const type = packageType(path.dirname(file));
  if (type !== undefined) return type === 'module';
  return extension === '.js' && hasModuleSyntax(fs.readFileSync(file, 'utf8'));
}

// The type in the nearest package.json, or undefined.
function packageType(folder) {
  const type = ownType(folder);
  const parent = path.dirname(folder);
  if (type !== null) return type;
  return parent === folder || path.basename(folder) === 'node_modules' ? undefined : packageType(parent);
}

// The type in the package.json of this folder, or null if there is no such file.
function ownType(folder) {
  try {
    const { type } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
    return type === 'module' || type === 'commonjs' ? type : undefined;
  } catch (error) {
    return error.code === 'ENOENT' || error.code === 'ENOTDIR' ? null : undefined; // Node reports the error in it
  }
}

// Whether source can only be an ES module.
function hasModuleSyntax(source) {
  if (!MAY_BE_MODULE.test(source)) return false;
  try {
    vm.compileFunction(source.replace(/^#!/, '//'), PARAMETERS);
    return false;
  } catch (error) {
    return MODULE_SYNTAX.some((words) => String(error?.message).includes(words));
  }
}

module.exports = { hasModuleSyntax, isModule, packageType };
