'use strict';

// The size in bytes of the shortest value that is redacted: a shorter one would redact ordinary words.
const MIN_BYTES = 4;
const MASK = '[REDACTED]';

// The secrets that one execution read. They are redacted in everything that the execution logs or reports.
class Secrets {
  #spellings = new Set();

  // Redacts value from now on. Values that are no text are not redacted.
  add(value) {
    if (typeof value !== 'string' || Buffer.byteLength(value) < MIN_BYTES) return;
    this.#spellings.add(value);
    this.#spellings.add(JSON.stringify(value).slice(1, -1));
  }

  // Returns text, plain or JSON, without the secrets.
  redact(text) {
    for (const spelling of this.#spellings) text = text.replaceAll(spelling, MASK);
    return text;
  }
}

module.exports = { Secrets };
