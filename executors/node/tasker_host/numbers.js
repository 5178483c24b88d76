'use strict';

// Finds the numbers of JSON text that JavaScript cannot hold. JSON.parse does not report them: it rounds integers
// beyond 2^53, and turns numbers beyond a double into Infinity or zero.

const SUSPECT = /\d{16}|\d[eE][+-]?\d{3}/;
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[{}[\],:]/gs;
const INTEGER = /^-?\d{16,}$/;
const SHOWN_CHARS = 40;
const PATH_CHARS = 300;

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
  for (const [token] of json.matchAll(TOKEN)) {
    const inner = containers.at(-1);
    if (token === '{') containers.push({ key: undefined, named: false });
    else if (token === '[') containers.push({ index: 0 });
    else if (token === '}' || token === ']') containers.pop();
    else if (token === ',') step(inner);
    else if (token[0] === '"') name(inner, token);
    else if (token !== ':') yield { token, path };
  }
}

function step(container) {
  if (container?.index === undefined) Object.assign(container ?? {}, { named: false });
  else container.index++;
}

function name(container, token) {
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

module.exports = { misread };
