'use strict';

// Finds the id and the method of a message that cannot be decoded, so that its sender gets a response.

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/gs;

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

module.exports = { envelope };
