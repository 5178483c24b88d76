'use strict';

// Finds what JSON.parse does not report about a message: the id and method of one that cannot be decoded, and numbers
// that JavaScript cannot hold. JSON.parse rounds integers beyond 2^53, and turns numbers beyond a double into Infinity
// or zero.

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/gs;
const SUSPECT = /\d{16}|\d[eE][+-]?\d{3}/;
const NUMBER_TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[{}[\],:]/gs;
const INTEGER = /^-?\d{16,}$/;
const SHOWN_CHARS = 40;
const PATH_CHARS = 300;

// The {id, method} of the outermost object of a line that may be cut off or no JSON. A missing one is undefined.
function envelope(line) {
  const found = { __proto__: null };
  let depth = 0;
  let name;
  let last;
  for (const [token] of line.toString('latin1').matchAll(TOKEN)) {
    if (token === '{' || token === '[') depth++;
    else if (token === '}' || token === ']') depth--;
    else if (depth !== 1) continue;
    else if (token === ':') [name, last] = [last, undefined];
    else if (token === ',') name = last = undefined;
    else if (name === undefined) last = text(token);
    else found[name] ??= text(token);
    if (found.id !== undefined && found.method !== undefined) break;
  }
  return { id: found.id, method: found.method };
}

function text(token) {
  try {
    return JSON.parse(token);
  } catch {
    return undefined;
  }
}

// Returns {lost: {path, number}} for the first number that JavaScript cannot hold, {rounded} for the first integer that
// it rounds, or undefined.
function misread(json) {
  if (!SUSPECT.test(json)) return undefined;
  let rounded;
  for (const { token, path } of numbersIn(json)) {
    if (isLost(token)) return { lost: { path: path(), number: shown(token) } };
    if (INTEGER.test(token) && BigInt(Number(token)) !== BigInt(token)) rounded ??= shown(token);
  }
  return rounded && { rounded };
}

// Yields every number, with a function that returns its path.
function* numbersIn(json) {
  const containers = []; // {key} of objects and {index} of arrays, outermost first
  const path = () => pathOf(containers);
  for (const [token] of json.matchAll(NUMBER_TOKEN)) {
    const inner = containers.at(-1);
    if (token === '{') containers.push({ key: undefined, named: false });
    else if (token === '[') containers.push({ index: 0 });
    else if (token === '}' || token === ']') containers.pop();
    else if (token === ',') nextMember(inner);
    else if (token[0] === '"') setKey(inner, token);
    else if (token !== ':') yield { token, path };
  }
}

function nextMember(container) {
  if (container?.index === undefined) Object.assign(container ?? {}, { named: false });
  else container.index++;
}

function setKey(container, token) {
  if (!container || container.index !== undefined || container.named) return;
  container.key = JSON.parse(token);
  container.named = true;
}

// The path as handlers know it: without the parts of the message around the arguments.
function pathOf(containers) {
  const parts = containers.map(({ key, index }) => (index === undefined ? `.${key}` : `[${index}]`));
  if (parts[0] === '.params') parts.shift();
  return parts.join('').replace(/^\./, '').slice(0, PATH_CHARS);
}

function isLost(token) {
  const number = Number(token);
  return !Number.isFinite(number) || (number === 0 && /[1-9]/.test(token.split(/[eE]/)[0]));
}

function shown(token) {
  return token.length <= SHOWN_CHARS ? token : `${token.slice(0, SHOWN_CHARS / 2)}... (${token.length} characters)`;
}

module.exports = { envelope, misread };
