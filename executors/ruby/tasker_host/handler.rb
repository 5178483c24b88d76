# frozen_string_literal: true

require_relative "api_settings"
require_relative "handler_speed"

module TaskerHost
  # A class that the host serves.
  class Handler
    # The modules that handlers inherit from, of the SDK or of the engine.
    LIBRARY = /\ATasker::(StepHandler|Concerns)(::|\z)/

    attr_reader :name, :file, :exclusive, :speed

    # Whether owner is a module of the SDK or the engine, and not of the user.
    def self.library?(owner)
      owner.name.to_s.match?(LIBRARY)
    end

    # With reloadable, the class is looked up by name for each execution, because a framework may replace it.
    def initialize(handler_class, name: handler_class.name, file: nil, reloadable: false)
      @name = name
      @file = file
      @speed = HandlerSpeed.new
      @reloadable = reloadable
      @handler_class = handler_class
      @base = handler_class <= Tasker::StepHandler::Base ? true : false
      @api = @base && Tasker::StepHandler.api_loaded? && handler_class <= Tasker::StepHandler::Api ? true : false
      @exclusive = handler_class.respond_to?(:exclusive?) && handler_class.exclusive? ? true : false
      @arguments = arguments
      @own_handle = @base && own_handle?
    end

    # Runs one step with a new instance.
    def run(task, sequence, step)
      handler = build(step.config)
      @own_handle ? handler.handle(task, sequence, step) : Tasker::StepHandler.run(handler, task, sequence, step, @api)
    end

    # The handler as the response to `initialize` describes it.
    def description
      @exclusive ? { name: name, file: file, exclusive: true } : { name: name, file: file }
    end

    private

    def build(hash)
      config = api_config?(hash) ? ApiSettings.of_template(hash) : hash
      handler = construct(config)
      if @base && handler.instance_variable_get(:@config).nil? # its own initialize did not call super
        handler.instance_variable_set(:@config, config)
      end
      handler
    end

    def handler_class
      @reloadable && Object.const_defined?(@name) ? Object.const_get(@name) : @handler_class
    end

    def construct(config)
      case @arguments
      when :keyword then handler_class.new(config: config)
      when :positional then handler_class.new(config)
      else handler_class.new
      end
    end

    def arguments
      parameters = @handler_class.instance_method(:initialize).parameters
      return :keyword if parameters.any? { |kind, _| kind == :keyrest }
      return :keyword if parameters.any? { |kind, name| name == :config && %i[key keyreq].include?(kind) }
      return :keyword if @base && parameters.any? { |kind, _| kind == :rest }
      return :positional if parameters.any? { |kind, name| kind == :req || (kind == :opt && name == :config) }

      :none
    end

    # Whether the user has defined `handle`, in the class or in a superclass. The engine's `handle` is not called: it
    # would write to the database, which the worker does.
    def own_handle?
      !Handler.library?(@handler_class.instance_method(:handle).owner)
    end

    # As in the engine, `type: api` makes an Api config of any handler's settings.
    def api_config?(hash)
      @api || (@base && hash["type"] == "api")
    end
  end
end
