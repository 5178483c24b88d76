'use strict';

const BLOT = '[secret]';

// The secrets that one execution has asked for, to keep them out of what it says.
class Secrets {
  #spellings = new Set();

  // Values that are no text are not looked for.
  add(value) {
    if (typeof value !== 'string' || value === '') return;
    this.#spellings.add(value);
    this.#spellings.add(JSON.stringify(value).slice(1, -1));
  }

  // text without the secrets, be it plain or JSON.
  blot(text) {
    for (const spelling of this.#spellings) text = text.replaceAll(spelling, BLOT);
    return text;
  }
}

module.exports = { Secrets };
