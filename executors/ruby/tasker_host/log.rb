# frozen_string_literal: true

require_relative "current"
require_relative "fork"
require_relative "result_json"
require_relative "text"

module TaskerHost
  class << self
    # The Log of this process.
    attr_accessor :log
  end

  # Sends structured log records to the worker, with the execution to which they belong. It can replace a Logger.
  class Log
    MESSAGE_BYTES = 16 * 1024
    ATTRS_BYTES = 16 * 1024
    ATTRS_DEPTH = 16
    LEVELS = %w[debug info warn error error info].freeze
    # How much of the handlers' prints is logged in one second. The rest goes to the standard streams.
    PRINTED_BYTES = 1 << 20

    attr_accessor :level, :progname, :formatter, :datetime_format

    def initialize(writer)
      @writer = writer
      @level = 0
      @printed_bytes = 0
      @second = 0
    end

    %w[debug info warn error fatal unknown].each_with_index do |name, severity|
      define_method(name) do |message = nil, **attrs, &block|
        record(LEVELS[severity], message || block&.call, attrs) if severity >= level_number
      end
      define_method("#{name}?") { severity >= level_number }
    end

    # Like Logger#add.
    def add(severity, message = nil, progname = nil, &block)
      severity ||= 5
      record(LEVELS[severity] || "info", message || block&.call || progname, {}) if severity >= level_number
      true
    end
    alias log add

    def <<(message)
      record("info", message.to_s.chomp, {})
      self
    end

    def tagged(*)
      yield self
    end

    def close; end
    def reopen(*); end

    # A line that an execution printed.
    def printed(level, line, logger, execution_id)
      send_record(level, line, execution_id, logger: logger)
    end

    # Whether so many more bytes may be logged in this second.
    def within_budget?(bytes)
      second = Process.clock_gettime(Process::CLOCK_MONOTONIC, :second)
      @second, @printed_bytes = second, 0 unless second == @second
      @printed_bytes += bytes
      @printed_bytes <= PRINTED_BYTES
    end

    private

    def level_number
      @level.is_a?(Integer) ? @level : (LEVELS.index(@level.to_s.downcase) || 0)
    end

    def record(level, message, attrs)
      more = attrs.empty? ? {} : { attrs: safe(attrs) }
      send_record(level, message, Current.execution&.execution_id, **more)
    end

    def send_record(level, message, execution_id, **more)
      return $stderr.puts(message) if Fork.child?

      params = { level: level, message: Text.clip(message, MESSAGE_BYTES), ts: ResultJSON.timestamp(Time.now), **more }
      params[:execution_id] = execution_id if execution_id
      @writer.notify("log", params)
      nil
    end

    # The attributes as JSON. Attributes that cannot be converted must not fail the step.
    def safe(attrs)
      Secrets.redact_all(ResultJSON.plain(attrs, max_bytes: ATTRS_BYTES, max_depth: ATTRS_DEPTH, what: "attrs"))
    rescue ResultJSON::Unacceptable => e
      { "attrs_dropped" => Text.clip(e.message, 500) }
    end
  end
end
