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

  // writer has notify, flush and congested.
  constructor(writer) {
    this.#writer = writer;
  }

  debug(message, attrs) {
    this.#record(Execution.current(), 'debug', message, { attrs });
  }

  info(message, attrs) {
    this.#record(Execution.current(), 'info', message, { attrs });
  }

  warn(message, attrs) {
    this.#record(Execution.current(), 'warn', message, { attrs });
  }

  error(message, attrs) {
    this.#record(Execution.current(), 'error', message, { attrs });
  }

  // Records [stream, text] pairs that an execution printed. What goes to stderr leaves at once: it may be the last words of a
  // process that crashes before the turn ends.
  prints(execution, texts, level = 'info') {
    for (const [logger, text] of texts) {
      this.#record(execution, level, text, { logger });
      if (logger === 'stderr') this.#writer.flush();
    }
  }

  #record(execution, level, message, { attrs, logger }) {
    if (this.#writer.congested) {
      this.#dropped++;
      return;
    }
    const said = clip(message, MESSAGE_BYTES);
    this.#writer.notify('log', {
      level,
      message: execution ? execution.redact(said) : said,
      ts: new Date().toISOString(),
      logger,
      execution_id: execution?.executionId,
      attrs: attrs == null ? undefined : safe(attrs, execution),
      dropped: this.#dropped || undefined,
    });
    this.#dropped = 0;
  }
}

// A log call must not fail the step over what it was given.
function safe(attrs, execution) {
  try {
    const kept = plain('attrs', attrs, ATTRS);
    return execution ? JSON.parse(execution.redact(JSON.stringify(kept))) : kept;
  } catch (error) {
    return { attrs_dropped: clip(error.message, 500) };
  }
}

module.exports = { Log };
