'use strict';

// Makes `tasker` and `tasker/testing` resolvable in handlers, which have no package of that name.

const Module = require('node:module');
const { pathToFileURL } = require('node:url');

const FILES = {
  __proto__: null,
  tasker: require.resolve('./sdk/tasker'),
  'tasker/testing': require.resolve('./sdk/tasker/testing'),
};

let importable = false;

// For require(), and as globalThis.tasker.
function forRequire() {
  const resolve = Module._resolveFilename;
  Module._resolveFilename = function resolveWithSdk(request, ...rest) {
    return FILES[request] ?? resolve.call(this, request, ...rest);
  };
  globalThis.tasker = require(FILES.tasker);
}

// For import. Older versions of Node start a thread for the hooks, so they are registered only when a file imports.
function forImport() {
  if (importable) return;
  importable = true;
  const urls = Object.fromEntries(Object.entries(FILES).map(([name, file]) => [name, pathToFileURL(file).href]));
  if (Module.registerHooks) {
    Module.registerHooks({
      // The hooks also apply to require, which does not accept URLs. Therefore they return the result themselves.
      resolve: (specifier, context, next) => {
        if (!Object.hasOwn(urls, specifier)) return next(specifier, context);
        return { url: urls[specifier], format: 'commonjs', shortCircuit: true };
      },
    });
  } else {
    Module.register?.('./import_hooks.mjs', { parentURL: pathToFileURL(__filename), data: urls });
  }
}

module.exports = { forImport, forRequire };
