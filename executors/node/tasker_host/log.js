'use strict';

// Structured log records, sent to the worker with the execution that they belong to.

const { Execution } = require('./execution');
const { plain } = require('./result_json');
const { clip } = require('./text');

const MESSAGE_BYTES = 16 * 1024;
const ATTRS = { maxBytes: 16 * 1024, maxDepth: 16 };

class Log {
  #writer;
  #dropped = 0;

  constructor(writer) {
    this.#writer = writer;
  }

  debug(message, attrs) {
    this.#record('debug', message, attrs);
  }

  info(message, attrs) {
    this.#record('info', message, attrs);
  }

  warn(message, attrs) {
    this.#record('warn', message, attrs);
  }

  error(message, attrs) {
    this.#record('error', message, attrs);
  }

  #record(level, message, attrs) {
    if (this.#writer.congested) {
      this.#dropped++;
      return;
    }
    this.#writer.notify('log', {
      level,
      message: clip(message, MESSAGE_BYTES),
      ts: new Date().toISOString(),
      execution_id: Execution.current()?.executionId,
      attrs: attrs == null ? undefined : safe(attrs),
      dropped: this.#dropped || undefined,
    });
    this.#dropped = 0;
  }
}

// A log call must not fail the step over what it was given.
function safe(attrs) {
  try {
    return plain(attrs, ATTRS);
  } catch (error) {
    return { attrs_dropped: clip(error.message, 500) };
  }
}

module.exports = { Log };
