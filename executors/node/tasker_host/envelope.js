'use strict';

// The id and the method of a message that cannot be read, so that whoever waits for its answer gets one.

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/gs;

// {id, method} of the outermost object of a line that may be cut or no JSON; what is not found is undefined.
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
