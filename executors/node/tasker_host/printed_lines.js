'use strict';

// Splits the text that one execution prints into lines.

const { StringDecoder } = require('node:string_decoder');

const LINE_CHARS = 16 * 1024;

class PrintedLines {
  #partial = { stdout: '', stderr: '' };
  #decoders = { stdout: undefined, stderr: undefined };

  // Returns the lines that chunk completes. Incomplete lines and characters are kept. A line over LINE_CHARS is cut.
  add(stream, chunk, encoding) {
    const lines = (this.#partial[stream] + this.#text(stream, chunk, encoding)).split('\n');
    const last = lines.pop();
    this.#partial[stream] = last.length > LINE_CHARS ? '' : last;
    if (last.length > LINE_CHARS) lines.push(last);
    return lines;
  }

  #text(stream, chunk, encoding) {
    if (typeof chunk !== 'string') return (this.#decoders[stream] ??= new StringDecoder()).write(Buffer.from(chunk));
    const isUtf8 = typeof encoding !== 'string' || /^utf-?8$/i.test(encoding);
    return isUtf8 ? chunk : Buffer.from(chunk, encoding).toString();
  }

  // Yields [stream, text] for each line that has not ended.
  *rest() {
    for (const [stream, text] of Object.entries(this.#partial)) if (text !== '') yield [stream, text];
    this.#partial = { stdout: '', stderr: '' };
  }
}

module.exports = { PrintedLines };
