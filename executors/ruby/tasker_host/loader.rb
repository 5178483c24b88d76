# frozen_string_literal: true

require_relative "failure"
require_relative "redefinitions"
require_relative "scan"

module TaskerHost
  # A class that the host serves.
  Handler = Struct.new(:name, :file, :handler_class, :takes_config) do
    # A new instance for one execution.
    def build(config)
      takes_config ? handler_class.new(config: config) : handler_class.new
    end
  end

  # Loads every handler file below a folder and finds the classes to serve. Handlers are found by name in what was
  # loaded here and nowhere else: no name that arrives later is turned into a constant or a path.
  class Loader
    CLASS_NAME = Module.instance_method(:name)
    NAME_BYTES = 200

    # Failures by file, as the worker reports them.
    attr_reader :errors

    def initialize(root)
      @root = File.directory?(root) ? File.realpath(root) : root
      @errors = []
      @loaded = {}
    end

    # Loads the files and returns the handlers by name.
    def load
      files = Scan.files(@root)
      redefinitions = Redefinitions.new(files.to_h { |file| [file, relative(file)] })
      redefinitions.watch { files.each { |file| load_file(file) } }
      redefinitions.found.each { |second, error| report(second, error) }
      @errors.sort_by! { |error| error[:file] }
      served
    end

    private

    # With `require`, a file that another one required is not loaded twice.
    def load_file(file)
      require file
      @loaded[file] = @loaded[File.realpath(file)] = relative(file)
    rescue NoMemoryError
      raise
    rescue Exception => e # rubocop:disable Lint/RescueException -- a SyntaxError is no StandardError
      report(file, e)
    end

    def report(file, error)
      failure = Failure.of_load(relative(file), error)
      @errors << failure
      lines = ["tasker host: cannot load #{file}: #{failure[:message]} (#{failure[:class]})", *failure[:backtrace]]
      warn lines.join("\n\t")
    end

    def relative(file)
      file.delete_prefix("#{@root}/")
    end

    def served
      handlers = ObjectSpace.each_object(Class).filter_map { |candidate| handler(candidate) }
      handlers.sort_by(&:name).to_h { |handler| [handler.name, handler] }
    end

    def handler(candidate)
      name = CLASS_NAME.bind_call(candidate)
      return unless name && name.bytesize <= NAME_BYTES && candidate.public_method_defined?(:process)

      file = @loaded[source_file(name)]
      Handler.new(name, file, candidate, takes_config?(candidate)) if file
    end

    def source_file(name)
      Object.const_source_location(name)&.first
    rescue NameError # an anonymous module in the path, or a constant that was removed
      nil
    end

    def takes_config?(candidate)
      candidate.instance_method(:initialize).parameters.any? do |kind, name|
        kind == :keyrest || (name == :config && %i[key keyreq].include?(kind))
      end
    end
  end
end
