# frozen_string_literal: true

require_relative "result_json"
require_relative "text"

module TaskerHost
  # Structured log records, sent to the worker with the execution that they belong to.
  class Log
    MESSAGE_BYTES = 16 * 1024
    ATTRS_BYTES = 16 * 1024
    ATTRS_DEPTH = 16
    EXECUTION = :tasker_execution_id

    # Runs the block as the given execution; records logged by its thread carry the id.
    def self.within(execution_id)
      thread = Thread.current
      thread.thread_variable_set(EXECUTION, execution_id)
      yield
    ensure
      thread.thread_variable_set(EXECUTION, nil)
    end

    def initialize(writer)
      @writer = writer
    end

    %w[debug info warn error].each do |level|
      define_method(level) do |message = nil, **attrs, &block|
        record(level, message || block&.call, attrs)
      end
    end
    alias fatal error

    private

    def record(level, message, attrs)
      params = { level: level, message: Text.clip(message, MESSAGE_BYTES), ts: ResultJSON.timestamp(Time.now) }
      execution_id = Thread.current.thread_variable_get(EXECUTION)
      params[:execution_id] = execution_id if execution_id
      params[:attrs] = safe(attrs) unless attrs.empty?
      @writer.notify("log", params)
      nil
    end

    # A log call must not fail the step over what it was given.
    def safe(attrs)
      ResultJSON.plain(attrs, max_bytes: ATTRS_BYTES, max_depth: ATTRS_DEPTH)
    rescue ResultJSON::Unacceptable => e
      { "attrs_dropped" => Text.clip(e.message, 500) }
    end
  end
end
