'use strict';

// Sends structured log records to the worker, with the execution to which they belong.

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

  // Records [stream, text] pairs that an execution printed. Text for stderr is sent at once, because the process may
  // crash before the turn of the event loop ends.
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
    const text = clip(message, MESSAGE_BYTES);
    this.#writer.notify('log', {
      level,
      message: execution ? execution.redact(text) : text,
      ts: new Date().toISOString(),
      logger,
      execution_id: execution?.executionId,
      attrs: attrs == null ? undefined : safe(attrs, execution),
      dropped: this.#dropped || undefined,
    });
    this.#dropped = 0;
  }
}

// The attributes as JSON. Attributes that cannot be converted must not fail the step.
function safe(attrs, execution) {
  try {
    const kept = plain('attrs', attrs, ATTRS);
    return execution ? JSON.parse(execution.redact(JSON.stringify(kept))) : kept;
  } catch (error) {
    return { attrs_dropped: clip(error.message, 500) };
  }
}

module.exports = { Log };
