# frozen_string_literal: true

require_relative "app"
require_relative "load_timer"
require_relative "loader"
require_relative "rpc_error"
require_relative "sdk"

module TaskerHost
  # What `initialize` agreed on: the limits, and the handlers of the folder that it named.
  class Session
    PROTOCOL_VERSION = 1
    SDK_VERSION = "0.1.0"
    MAX_MESSAGE_BYTES = 4 << 20
    MAX_INLINE_BYTES = 1 << 20
    MAX_JSON_DEPTH = 64
    MAX_CONCURRENCY = 5
    SHUTDOWN_GRACE_MS = 25_000
    STARTUP_TIMEOUT_MS = 60_000

    MAX_FILE_BYTES = 64 << 20

    attr_reader :max_message_bytes, :max_concurrency, :max_inline_bytes, :max_file_bytes, :result_limits, :file_limits,
                :shutdown_grace, :callbacks

    def initialize(params)
      check_version(params["protocol_versions"])
      config = object(params, "config")
      @root = path(config, "handler_root")
      @app_root = path(config, "app_root") || ENV["TASKER_APP_ROOT"]
      @app_handlers = strings(config, "app_handlers", AppFiles::DEFAULT)
      @skip = strings(config, "skip_files", [])
      read_limits(object(params, "limits"))
      @ends = now + (positive(object(params, "timing"), "startup_timeout_ms", STARTUP_TIMEOUT_MS) / 1000.0)
      @shutdown_grace = positive(object(params, "timing"), "shutdown_grace_ms", SHUTDOWN_GRACE_MS) / 1000.0
      offers = object(params, "capabilities")
      @callbacks = offers["callbacks"].is_a?(Array) ? offers["callbacks"].grep(String) : []
      @payload_files = offers["payload_files"] == true
    end

    def payload_files?
      @payload_files
    end

    # Runs the block as a unit of work of the app, if there is one.
    def wrap(&block)
      @app ? @app.wrap(&block) : yield
    end

    # Boots the app, if one is named, and loads the handlers. A file that cannot be loaded is reported; the others are
    # served. The block handles a file that does not finish loading and cannot be ended, see LoadTimer.
    def load(&stuck)
      boot unless @app_root.nil? || @app_root.empty?
      SDK.load
      timer = LoadTimer.new(@ends - now, &stuck)
      @loader = Loader.new(@root || "", timer, app: @app, app_folders: @app_handlers, skip: @skip)
      @handlers = @loader.load
      PlainJSON.prepare
    end

    # The load error of the file from whose thread the error comes, or nil.
    def fail_file(error)
      @loader&.fail_file(error)
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
        executor: executor,
        capabilities: { max_concurrency: max_concurrency, cancel: "cooperative", step_heartbeats: true,
                        structured_logs: true, payload_files: true, deferred: true, reload: false },
        handlers: @handlers.each_value.map(&:description),
        handlers_complete: true,
        load_errors: @loader.errors
      }
    end

    private

    def boot
      @app = App.new(@app_root).boot
      require_relative "app_logger"
      @app.bridge_logger
      @max_concurrency = @app.limit(@max_concurrency)
    end

    def executor
      about = { language: "ruby", language_version: RUBY_VERSION, sdk: "tasker-worker", sdk_version: SDK_VERSION,
                pid: Process.pid }
      framework = @app&.framework
      about[:framework] = framework if framework
      about
    end

    def check_version(versions)
      return if versions.is_a?(Array) && versions.include?(PROTOCOL_VERSION)

      data = { supported: [PROTOCOL_VERSION] }
      raise RpcError.new(RpcError::UNSUPPORTED_VERSION, "unsupported_protocol_version", data)
    end

    def read_limits(limits)
      @max_message_bytes = positive(limits, "max_message_bytes", MAX_MESSAGE_BYTES)
      @max_concurrency = positive(limits, "max_concurrency", MAX_CONCURRENCY)
      @max_inline_bytes = positive(limits, "max_inline_bytes", MAX_INLINE_BYTES)
      @max_file_bytes = positive(limits, "max_file_bytes", MAX_FILE_BYTES)
      depth = positive(limits, "max_json_depth", MAX_JSON_DEPTH)
      @result_limits = { max_bytes: @max_inline_bytes, max_depth: depth }
      @file_limits = { max_bytes: [@max_file_bytes, @max_inline_bytes].max, max_depth: depth }
    end

    def path(config, name)
      value = config[name]
      value.nil? || value.is_a?(String) ? value : raise(bad("config.#{name} must be a string"))
    end

    def strings(config, name, default)
      value = config.fetch(name, default)
      return value if value.is_a?(Array) && value.all?(String)

      raise bad("config.#{name} must be an array of strings")
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
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
      id, handler, step, task, dependencies =
        params.values_at("execution_id", "handler", "step", "task", "dependencies")
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
