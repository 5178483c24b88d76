'use strict';

const NEWLINE = 10;
const HEAD_BYTES = 4096; // of a line over the limit that are kept, to find its id and method

// A line over the limit. head is its beginning.
class TooLong {
  constructor(head) {
    this.head = head;
  }
}

// Splits the data of a socket into lines, with a bound on the length of a line.
class LineReader {
  #parts = [];
  #size = 0;
  #head; // of the line that is being read, if it is over the limit

  // maxBytes is the longest line accepted, without its newline. It may be changed at any time.
  constructor(socket, maxBytes) {
    this.socket = socket;
    this.maxBytes = maxBytes;
  }

  // Calls onLine with every complete line as a Buffer, or as a TooLong if it is over the limit. Calls onEnd when the
  // writer has closed the pipe. An incomplete line at the end is dropped.
  start(onLine, onEnd) {
    this.socket.on('data', (chunk) => this.#split(chunk, onLine));
    this.socket.on('error', onEnd);
    this.socket.on('close', onEnd);
  }

  #split(chunk, onLine) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      onLine(this.#take(chunk.subarray(from, end)));
      from = end + 1;
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from));
  }

  #keep(bytes) {
    this.#size += bytes.length;
    this.#parts.push(bytes);
    if (this.#size <= this.maxBytes) return;
    this.#head ??= Buffer.from(this.#joined().subarray(0, HEAD_BYTES));
    this.#parts = [];
  }

  #take(last) {
    this.#keep(last);
    const line = this.#head ? new TooLong(this.#head) : this.#joined();
    this.#parts = [];
    this.#size = 0;
    this.#head = undefined;
    return line;
  }

  #joined() {
    return this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts);
  }
}

const FLUSH_CHARS = 64 * 1024;

// Writes one message per line. Messages of one turn of the event loop are written together. Messages that are sent
// while the worker does not read are written together when it reads again.
class Writer {
  #socket;
  #lines = [];
  #chars = 0;
  #full = false;

  // onClose is called when the worker has closed the pipe.
  constructor(socket, onClose) {
    this.#socket = socket;
    socket.on('error', onClose);
    socket.on('drain', () => this.#drained());
  }

  result(id, result) {
    this.write(JSON.stringify({ jsonrpc: '2.0', id, result }));
  }

  error(id, code, message, data) {
    this.write(JSON.stringify({ jsonrpc: '2.0', id, error: { code, message, data } }));
  }

  request(id, method, params) {
    this.write(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
  }

  notify(method, params) {
    this.write(JSON.stringify({ jsonrpc: '2.0', method, params }));
  }

  // Sends a message that is JSON already.
  write(message) {
    if (this.#lines.length === 0 && !this.#full) process.nextTick(() => this.flush());
    this.#lines.push(message, '\n');
    this.#chars += message.length;
    if (this.#chars > FLUSH_CHARS) this.flush();
  }

  // True while the worker reads more slowly than this host writes. Answers go on; log records are dropped.
  get congested() {
    return this.#full;
  }

  // Writes the messages now, without waiting for the end of the turn.
  flush() {
    if (!this.#full) this.#send();
  }

  // Calls back when everything has been written.
  end(callback) {
    this.#send();
    this.#socket.write('', callback);
  }

  #drained() {
    this.#full = false;
    this.#send();
  }

  #send() {
    const lines = this.#lines;
    if (lines.length === 0) return;
    this.#lines = [];
    this.#chars = 0;
    this.#full = !this.#socket.write(lines.join(''));
  }
}

module.exports = { LineReader, TooLong, Writer };
