'use strict';

// What one execution prints, cut into lines.

const LINE_CHARS = 16 * 1024;

class Prints {
  #partial = { stdout: '', stderr: '' };

  // Returns the lines that text completes; half a line is kept. A line that has no end is cut.
  add(stream, text) {
    const lines = (this.#partial[stream] + text).split('\n');
    const last = lines.pop();
    this.#partial[stream] = last.length > LINE_CHARS ? '' : last;
    if (last.length > LINE_CHARS) lines.push(last);
    return lines;
  }

  // Yields [stream, text] for what is left.
  *rest() {
    for (const [stream, text] of Object.entries(this.#partial)) if (text !== '') yield [stream, text];
    this.#partial = { stdout: '', stderr: '' };
  }
}

module.exports = { Prints };
