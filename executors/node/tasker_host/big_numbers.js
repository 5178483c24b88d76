'use strict';

// JSON.parse rounds integers beyond 2^53 without a word. These functions find them, so that somebody can be told.

const MANY_DIGITS = /\d{16}/;
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const INTEGER = /^-?\d{16,}$/;

// The first integer in the JSON text that a JavaScript number cannot hold, or undefined.
function firstRounded(json) {
  if (!MANY_DIGITS.test(json)) return undefined;
  for (const [token] of json.matchAll(STRING_OR_NUMBER)) {
    if (INTEGER.test(token) && BigInt(Number(token)) !== BigInt(token)) return token;
  }
  return undefined;
}

module.exports = { firstRounded };
