'use strict';

// Turns what a handler returned into JSON that every language and PostgreSQL read back unchanged, or says where and why
// it cannot. See sdk/tasker.js for the rules.

// A result that no retry can make acceptable.
class Unacceptable extends Error {}
class Invalid extends Unacceptable {}
class TooLarge extends Unacceptable {}

const NUL = /(?<!\\)(?:\\\\)*\\u0000/;
const LONE_SURROGATE = /(?<!\\)(?:\\\\)*\\ud[89a-f]/;
// Objects that JSON.stringify turns into `{}`.
const LOST = [Map, WeakMap, WeakSet, WeakRef, Promise, RegExp, Error, ArrayBuffer];

// The JSON text of value, which is called what in errors.
function text(what, value, maxDepth) {
  const plain = value === undefined ? null : value;
  const json = JSON.stringify(isPlain(plain, maxDepth) ? plain : convert(plain, what, maxDepth));
  checkText(what, json);
  return json;
}

function generate(what, value, { maxBytes, maxDepth }) {
  const json = text(what, value, maxDepth);
  checkBytes(what, Buffer.byteLength(json), maxBytes);
  return json;
}

// value in the form in which it will be read back.
function plain(what, value, limits) {
  return JSON.parse(generate(what, value, limits));
}

// The same for what a handler passes to a call. A mistake there fails like any other.
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

function checkText(what, json) {
  if (json.includes('\\u0000') && NUL.test(json)) {
    throw new Invalid(`the ${what} holds the character U+0000, which PostgreSQL cannot store`);
  }
  if (json.includes('\\ud') && LONE_SURROGATE.test(json)) {
    throw new Invalid(`the ${what} holds a lone surrogate, which is no Unicode text`);
  }
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
  for (const key of Object.keys(value)) if (!isPlain(value[key], depth - 1)) return false;
  return true;
}

// A plain copy of value.
function convert(value, path, depth) {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return finite(value, path);
    case 'object':
      return value === null ? null : convertObject(value, path, depth);
    case 'bigint':
      throw new Invalid(`${path} is a BigInt, which JSON cannot hold; return String(value)`);
    default:
      throw new Invalid(`${path} is ${value === undefined ? 'undefined' : `a ${typeof value}`}, which JSON cannot hold`);
  }
}

function convertObject(value, path, depth) {
  if (depth <= 0) {
    throw new Invalid(`${path.slice(0, 200)} is nested too deeply, or contains itself`);
  }
  if (value instanceof Date) return date(value, path);
  if (ArrayBuffer.isView(value) || LOST.some((lost) => value instanceof lost)) {
    throw new Invalid(`${path} is a ${value.constructor.name}, which JSON cannot hold`);
  }
  if (typeof value.toJSON === 'function') return convert(value.toJSON(), path, depth - 1);
  if (value instanceof Set) return convertArray([...value], path, depth);
  return Array.isArray(value) ? convertArray(value, path, depth) : convertMembers(value, path, depth);
}

function convertArray(array, path, depth) {
  return Array.from(array, (member, i) => convert(member, `${path}[${i}]`, depth - 1));
}

function convertMembers(object, path, depth) {
  const copy = Object.create(null); // so that a member named __proto__ stays a member
  for (const key of Object.keys(object)) {
    if (object[key] !== undefined) copy[key] = convert(object[key], `${path}.${key}`, depth - 1);
  }
  return copy;
}

function finite(number, path) {
  if (Number.isFinite(number)) return number;
  throw new Invalid(`${path} is ${number}, which JSON cannot hold`);
}

function date(value, path) {
  if (!Number.isNaN(value.getTime())) return value.toISOString();
  throw new Invalid(`${path} is an invalid date`);
}

module.exports = { Invalid, TooLarge, Unacceptable, checkBytes, plain, plainArgument, text };
