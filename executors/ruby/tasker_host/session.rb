# frozen_string_literal: true

require_relative "loader"
require_relative "rpc_error"

module TaskerHost
  # What `initialize` settled: the limits, and the handlers of the folder that it named.
  class Session
    PROTOCOL_VERSION = 1
    SDK_VERSION = "0.1.0"
    MAX_MESSAGE_BYTES = 4 << 20
    MAX_INLINE_BYTES = 1 << 20
    MAX_JSON_DEPTH = 64
    MAX_CONCURRENCY = 5
    SHUTDOWN_GRACE_MS = 25_000

    attr_reader :max_message_bytes, :max_concurrency, :result_limits, :shutdown_grace

    def initialize(params)
      check_version(params["protocol_versions"])
      @root = object(params, "config")["handler_root"]
      raise bad("config.handler_root must be a string") unless @root.nil? || @root.is_a?(String)

      read_limits(object(params, "limits"))
      @shutdown_grace = positive(object(params, "timing"), "shutdown_grace_ms", SHUTDOWN_GRACE_MS) / 1000.0
    end

    # Loads the handlers. A file that cannot be loaded is reported; the others serve.
    def load
      loader = Loader.new(@root || "")
      @handlers = loader.load
      @load_errors = loader.errors
    end

    # The handler that the params of step.execute name.
    def handler(params)
      well_formed(params)
      name = params["handler"]["name"]
      @handlers[name] or raise RpcError.new(RpcError::HANDLER_NOT_FOUND, "handler_not_found", { name: name })
    end

    # The result of `initialize`.
    def description
      {
        protocol_version: PROTOCOL_VERSION,
        executor: { language: "ruby", language_version: RUBY_VERSION, sdk: "tasker-worker", sdk_version: SDK_VERSION,
                    pid: Process.pid },
        capabilities: { max_concurrency: max_concurrency, cancel: "none" },
        handlers: @handlers.each_value.map { |handler| { name: handler.name, file: handler.file } },
        handlers_complete: true,
        load_errors: @load_errors
      }
    end

    private

    def check_version(versions)
      return if versions.is_a?(Array) && versions.include?(PROTOCOL_VERSION)

      raise RpcError.new(RpcError::UNSUPPORTED_VERSION, "unsupported_protocol_version", { supported: [PROTOCOL_VERSION] })
    end

    def read_limits(limits)
      @max_message_bytes = positive(limits, "max_message_bytes", MAX_MESSAGE_BYTES)
      @max_concurrency = positive(limits, "max_concurrency", MAX_CONCURRENCY)
      @result_limits = {
        max_bytes: positive(limits, "max_inline_bytes", MAX_INLINE_BYTES),
        max_depth: positive(limits, "max_json_depth", MAX_JSON_DEPTH)
      }
    end

    def positive(object, name, default)
      value = object.fetch(name, default)
      return value if value.is_a?(Integer) && value.positive?

      raise bad("#{name} must be a positive integer")
    end

    def object(params, name)
      value = params[name] || {}
      value.is_a?(Hash) ? value : raise(bad("#{name} must be an object"))
    end

    def well_formed(params)
      id, handler, step, task, dependencies = params.values_at("execution_id", "handler", "step", "task", "dependencies")
      raise bad("execution_id must be a string") unless id.is_a?(String) && !id.empty?
      raise bad("handler.name must be a string") unless handler.is_a?(Hash) && handler["name"].is_a?(String)
      raise bad("step and task must be objects") unless step.is_a?(Hash) && task.is_a?(Hash)
      return if dependencies.nil? || (dependencies.is_a?(Hash) && dependencies.each_value.all?(Hash))

      raise bad("dependencies must be an object of objects")
    end

    def bad(message)
      RpcError.new(RpcError::BAD_PARAMS, message)
    end
  end
end
