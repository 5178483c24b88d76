# frozen_string_literal: true

require_relative "constants"
require_relative "extensions"
require_relative "failure"
require_relative "handler"
require_relative "redefinitions"
require_relative "scan"
require_relative "sdk"

module TaskerHost
  # Loads every handler file below a folder and finds the classes to serve. Handlers are found by name in what was
  # loaded here and nowhere else: no name that arrives later is turned into a constant or a path.
  class Loader
    CLASS_NAME = Module.instance_method(:name)
    NAME_BYTES = 200
    # Failures by file, as the worker reports them.
    attr_reader :errors

    # app is the Rails application whose own handlers, in its folders of that name, are served too, or nil.
    def initialize(root, app = nil, app_folders = [])
      @root = File.directory?(root) ? File.realpath(root) : root
      @app = app
      @app_files = app&.handler_files(app_folders)
      @errors = []
      @loaded = {}
    end

    # Loads the files and returns the handlers by name.
    def load
      files = Scan.files(@root)
      Extensions.load(files)
      Constants.serve(@root, files)
      $LOAD_PATH.concat([File.dirname(SDK::FILE), @root] - $LOAD_PATH)
      load_app
      redefinitions = Redefinitions.new(files.to_h { |file| [file, relative(file)] })
      redefinitions.watch { files.each { |file| load_file(file) } }
      redefinitions.found.each { |second, error| report(second, relative(second), error) }
      @errors.sort_by! { |error| error[:file] }
      served
    end

    private

    # Before the files of the folder, which may name what the app has.
    def load_app
      @app_files&.paths&.each { |file| attempt(file, @app_files.name(file)) { @app_files.load(file) } }
    end

    # With `require`, a file that another one required is not loaded twice.
    def load_file(file)
      attempt(file, relative(file)) do
        require file
        @loaded[file] = @loaded[File.realpath(file)] = relative(file)
      end
    end

    def attempt(file, name)
      yield
    rescue NoMemoryError
      raise
    rescue Exception => e # rubocop:disable Lint/RescueException -- a SyntaxError is no StandardError
      report(file, name, e)
    end

    def report(file, name, error)
      failure = Failure.of_load(name, error)
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
      return unless name && name.bytesize <= NAME_BYTES && candidate.public_method_defined?(:process) && !abstract?(candidate)

      source = source_file(candidate, name)
      file = @loaded[source] || @app&.file_of(candidate, source)
      Handler.new(candidate, name: name, file: file, reloadable: @app&.reloading?) if file
    end

    # Bases of handlers that leave `process` to their subclasses.
    def abstract?(candidate)
      Handler.library?(candidate.instance_method(:process).owner)
    end

    # Where the class is defined, or, when Ruby does not know that, its `process`.
    def source_file(candidate, name)
      file = Object.const_source_location(name)&.first
      file || candidate.instance_method(:process).source_location&.first
    rescue NameError # an anonymous module in the path, or a constant that was removed
      nil
    end
  end
end
