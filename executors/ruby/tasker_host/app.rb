# frozen_string_literal: true

require_relative "app_files"
require_relative "sdk"

module TaskerHost
  # The Rails app around the handlers, when there is one.
  class App
    ENVIRONMENT = "config/environment.rb"
    FRAMES = 15

    # The folder of the app that the environment or the first message names, or nil.
    def self.root(env, first_line)
      named = env["TASKER_APP_ROOT"]
      named ||= first_line[/"app_root"\s*:\s*"((?:[^"\\]|\\.)+)"/n, 1] if first_line.is_a?(String)
      named && !named.empty? ? named.gsub('\/', "/") : nil
    end

    # Restricts the gems to those of the app's Gemfile. This must precede the first gem that is loaded.
    def self.use_gems(root)
      return if root.nil? || $LOADED_FEATURES.any? { |file| file.end_with?("/bundler/setup.rb") }

      gemfile = ENV["BUNDLE_GEMFILE"] || File.join(root, "Gemfile")
      return unless File.file?(gemfile)

      ENV["BUNDLE_GEMFILE"] = gemfile
      require "bundler/setup"
    end

    # Ends the process because the app cannot be booted. The reason is printed last: the worker shows only the end of
    # the output of a process that failed to start.
    def self.abort(root, error)
      frames = error.backtrace.to_a.reject { |frame| frame.start_with?("#{__dir__}/", "<internal:") }
      $stderr.puts(frames.first(FRAMES).map { |frame| "\t#{frame}" },
                   "tasker host: the app in #{root} cannot be booted: #{error.class}: #{error.message}")
      exit!(78)
    end

    # root may be a symbolic link, as in deployments. Rails knows only the real path.
    def initialize(root)
      @root = File.directory?(root) ? File.realpath(root) : File.expand_path(root)
    end

    # Loads config/environment.rb and with it the app. Returns self. Does not load the app eagerly: an app with the
    # engine cannot be loaded completely.
    def boot
      file = File.join(@root, ENVIRONMENT)
      raise LoadError, "there is no #{file}" unless File.file?(file)

      ENV["PGAPPNAME"] ||= ENV["TASKER_EXECUTOR_ID"] if ENV["TASKER_EXECUTOR_ID"]
      Dir.chdir(@root)
      require file
      SDK.load
      release_connections
      self
    rescue Exception => e # rubocop:disable Lint/RescueException -- `exit` and a SyntaxError in an app's file, too
      App.abort(@root, e)
    end

    # The files in the folders of the app's handlers, which the app may not have loaded yet.
    def handler_files(folders)
      AppFiles.new(@root, folders)
    end

    # "rails 8.0.1", or nil.
    def framework
      "rails #{::Rails.version}" if rails? && ::Rails.respond_to?(:version)
    end

    # Runs the block as a unit of work of the app: afterwards connections return to their pool and caches are cleared.
    def wrap(&block)
      wrapper = reloading? ? application.reloader : executor
      wrapper ? wrapper.wrap(&block) : yield
    end

    # Whether the app reloads changed files.
    def reloading?
      return @reloading if defined?(@reloading)

      @reloading = application.respond_to?(:reloader) && application.respond_to?(:config) &&
                   enabled?(application.config)
    end

    # Limits the capacity to the number of database connections, less one that the app itself may need.
    def limit(steps)
      size = pool_size
      return steps unless size

      [[steps, size - 1].min, 1].max
    end

    # The path, within the app, of a handler class that the app itself has loaded; nil for any other class.
    def file_of(candidate, source)
      return unless candidate < Tasker::StepHandler::Base && source&.start_with?("#{@root}/")

      source.delete_prefix("#{@root}/")
    end

    # Attributes the app's log records to the step that runs. A logger that writes to the standard streams needs no
    # bridge.
    def bridge_logger
      logger = rails? && ::Rails.respond_to?(:logger) && ::Rails.logger
      return if !logger || !defined?(::ActiveSupport::Logger)
      return if ::ActiveSupport::Logger.logger_outputs_to?(logger, $stdout, $stderr)

      if logger.respond_to?(:broadcast_to)
        logger.broadcast_to(AppLogger.new)
      elsif ::ActiveSupport::Logger.respond_to?(:broadcast) # Rails before 7.1
        logger.extend(::ActiveSupport::Logger.broadcast(AppLogger.new))
      end
    end

    private

    def rails?
      defined?(::Rails) ? true : false
    end

    def application
      rails? && ::Rails.respond_to?(:application) ? ::Rails.application : nil
    end

    def executor
      application.executor if application.respond_to?(:executor)
    end

    def enabled?(config)
      return config.reloading_enabled? ? true : false if config.respond_to?(:reloading_enabled?)

      config.respond_to?(:cache_classes) ? !config.cache_classes : false
    end

    def pool_size
      return unless defined?(::ActiveRecord::Base) && ::ActiveRecord::Base.respond_to?(:connection_pool)

      size = ::ActiveRecord::Base.connection_pool.size
      size if size.is_a?(Integer)
    rescue StandardError # an app may have no database
      nil
    end

    def release_connections
      return unless defined?(::ActiveRecord::Base) && ::ActiveRecord::Base.respond_to?(:connection_handler)

      handler = ::ActiveRecord::Base.connection_handler
      handler.clear_active_connections! if handler.respond_to?(:clear_active_connections!)
    rescue StandardError
      nil
    end
  end
end
