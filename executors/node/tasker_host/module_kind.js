'use strict';

// Whether a file is an ES module. Node's require of ES modules takes no hooks before 22.15, so they could not import the SDK
// there: what is one is imported.

const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

const MAY_BE_MODULE = /\bimport\b|^\s*export\b|\bawait\b/m;
// What V8 says of an ES module that is compiled as CommonJS; Node detects it by the same words.
const MODULE_SYNTAX = [
  'Cannot use import statement outside a module',
  "Unexpected token 'export'",
  "Cannot use 'import.meta' outside a module",
  'await is only valid in async functions and the top level bodies of modules',
];
const PARAMETERS = ['exports', 'require', 'module', '__filename', '__dirname'];

// Whether the file at this real path is to be imported.
function isModule(file) {
  const extension = path.extname(file);
  if (extension.startsWith('.m')) return true;
  if (extension.startsWith('.c')) return false;
  const type = packageType(path.dirname(file));
  if (type !== undefined) return type === 'module';
  return extension === '.js' && hasModuleSyntax(fs.readFileSync(file, 'utf8'));
}

// The type that the nearest package.json says, or undefined.
function packageType(folder) {
  const type = ownType(folder);
  const parent = path.dirname(folder);
  if (type !== null) return type;
  return parent === folder || path.basename(folder) === 'node_modules' ? undefined : packageType(parent);
}

// The same of the package.json in this folder, null when there is none.
function ownType(folder) {
  try {
    const { type } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
    return type === 'module' || type === 'commonjs' ? type : undefined;
  } catch (error) {
    return error.code === 'ENOENT' || error.code === 'ENOTDIR' ? null : undefined; // Node itself says what is wrong with it
  }
}

// Whether JavaScript can be nothing but an ES module.
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
