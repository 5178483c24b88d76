// Resolves imports of the SDK. Loaded by Node into the thread that resolves imports.

let urls = {};

export function initialize(data) {
  urls = data;
}

export function resolve(specifier, context, next) {
  return next(Object.hasOwn(urls, specifier) ? urls[specifier] : specifier, context);
}
