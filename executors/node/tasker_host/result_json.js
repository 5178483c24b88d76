'use strict';

// Converts the result of a handler into JSON that every language and PostgreSQL read back unchanged, or throws an error
// that names the place and the reason. The rules are in sdk/tasker.js.

const { types } = require('node:util');

// The result is not valid. A retry does not help.
class Unacceptable extends Error {}
class Invalid extends Unacceptable {}
class TooLarge extends Unacceptable {}

const NUL = /(?<!\\)(?:\\\\)*\\u0000/;
const LONE_SURROGATE = /(?<!\\)(?:\\\\)*\\ud[89a-f]/;
const PATH_CHARS = 300;

// The JSON text of value. what is the name of the value in errors.
function text(what, value, maxDepth) {
  const plain = value === undefined ? null : value;
  const json = JSON.stringify(isPlain(plain, maxDepth) ? plain : convert(plain, what, maxDepth));
  if (isUnstorable(json)) throwPlace(plain, what, maxDepth);
  return json;
}

function generate(what, value, { maxBytes, maxDepth }) {
  const json = text(what, value, maxDepth);
  checkBytes(what, Buffer.byteLength(json), maxBytes);
  return json;
}

// value as it is read back.
function plain(what, value, limits) {
  return JSON.parse(generate(what, value, limits));
}

// Like plain, for an argument of a handler's request. An invalid argument is a TypeError of the handler.
function plainArgument(what, value, limits) {
  try {
    return plain(what, value, limits);
  } catch (error) {
    throw error instanceof Unacceptable ? new TypeError(error.message) : error;
  }
}

function checkBytes(what, bytes, maxBytes) {
  if (bytes <= maxBytes) return;
  const hint = 'store it elsewhere and pass where it is';
  throw new TooLarge(`the ${what} is ${bytes} bytes of JSON, more than the ${maxBytes} allowed; ${hint}`);
}

// Whether the JSON has a character that PostgreSQL does not store.
function isUnstorable(json) {
  return (json.includes('\\u0000') && NUL.test(json)) || (json.includes('\\ud') && LONE_SURROGATE.test(json));
}

// Throws an error that names the place of that character.
function throwPlace(value, what, maxDepth) {
  convert(value, what, maxDepth);
  throw new Invalid(`the ${what} holds a character that PostgreSQL cannot store`);
}

// The fast path: most results are plain and need no copy.
function isPlain(value, depth) {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      return value === null || (depth > 0 && isPlainObject(value, depth));
    default:
      return false;
  }
}

function isPlainObject(value, depth) {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (!isPlain(value[i], depth - 1)) return false;
    return true;
  }
  const prototype = Object.getPrototypeOf(value);
  if ((prototype !== Object.prototype && prototype !== null) || 'toJSON' in value) return false;
  const keys = Object.keys(value);
  for (const key of keys) if (!isPlain(value[key], depth - 1)) return false;
  return keys.length > 0 || isEmpty(value);
}

// Whether an object has no members at all, also none that JSON leaves out, such as getters.
function isEmpty(object) {
  return Reflect.ownKeys(object).length === 0;
}

// A plain copy of value. Throws an error with the place of a value that cannot be converted.
function convert(value, path, depth) {
  switch (typeof value) {
    case 'string':
      return characters(value, path);
    case 'boolean':
      return value;
    case 'number':
      return finite(value, path);
    case 'object':
      return value === null ? null : convertObject(value, path, depth);
    case 'bigint':
      throw invalid(path, 'is a BigInt, which JSON cannot hold; return String(value)');
    default:
      throw invalid(path, `is ${value === undefined ? 'undefined' : `a ${typeof value}`}, which JSON cannot hold`);
  }
}

function convertObject(value, path, depth) {
  if (depth <= 0) throw invalid(path.slice(0, 200), 'is nested too deeply, or contains itself');
  if (value instanceof Date) return date(value, path);
  if (typeof value.toJSON === 'function' && !ArrayBuffer.isView(value)) return convert(value.toJSON(), path, depth - 1);
  if (isBoxed(value)) return convert(value.valueOf(), path, depth - 1);
  if (value instanceof Set) return convertArray([...value], path, depth);
  if (Array.isArray(value)) return convertArray(value, path, depth);
  checkKept(value, path);
  return convertMembers(value, path, depth);
}

function isBoxed(value) {
  return types.isStringObject(value) || types.isNumberObject(value) || types.isBooleanObject(value);
}

// Refuses objects whose contents are not in their members: JSON.stringify writes them as `{}`.
function checkKept(value, path) {
  const kind = () => a(kindOf(value));
  if (typeof value.then === 'function') throw invalid(path, `is ${kind()}, whose value is not there yet; await it`);
  if (typeof value.next === 'function' && typeof value.return === 'function') {
    const hint = 'a handler is no generator (function*), return what it yields';
    throw invalid(path, `is ${kind()}, of which nothing has run; ${hint}`);
  }
  const opaque = ArrayBuffer.isView(value) || types.isNativeError(value) || types.isRegExp(value) || types.isMap(value);
  if (opaque || (Object.keys(value).length === 0 && !isPlainEmpty(value))) {
    throw invalid(path, `is ${kind()}, which JSON cannot hold; return plain objects, arrays, texts and numbers`);
  }
}

// Whether value is `{}`, of this or another realm.
function isPlainEmpty(value) {
  const prototype = Object.getPrototypeOf(value);
  const isRoot = () => Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf');
  return (prototype === null || isRoot()) && isEmpty(value);
}

function kindOf(value) {
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  if (tag !== 'Object') return tag;
  const name = value.constructor?.name;
  if (name === 'Object' || typeof name !== 'string' || name === '') return 'object without enumerable members';
  return name;
}

function a(noun) {
  return `${/^[aeiou]/i.test(noun) ? 'an' : 'a'} ${noun}`;
}

function convertArray(array, path, depth) {
  return Array.from(array, (member, i) => convert(member, `${path}[${i}]`, depth - 1));
}

function convertMembers(object, path, depth) {
  const copy = Object.create(null); // so that a member named __proto__ stays a member
  for (const key of Object.keys(object)) {
    const member = object[key];
    if (member !== undefined) copy[characters(key, `a key of ${path}`)] = convert(member, `${path}.${key}`, depth - 1);
  }
  return copy;
}

function characters(text, path) {
  if (text.includes('\0')) throw invalid(path, 'holds the character U+0000, which PostgreSQL cannot store');
  if (/\p{Surrogate}/u.test(text)) throw invalid(path, 'holds a lone surrogate, which is no Unicode text');
  return text;
}

function finite(number, path) {
  if (Number.isFinite(number)) return number;
  throw invalid(path, `is ${number}, which JSON cannot hold`);
}

function date(value, path) {
  if (!Number.isNaN(value.getTime())) return value.toISOString();
  throw invalid(path, 'is an invalid date');
}

function invalid(path, what) {
  return new Invalid(`${path.slice(0, PATH_CHARS)} ${what}`);
}

module.exports = { Invalid, TooLarge, Unacceptable, checkBytes, plain, plainArgument, text };
