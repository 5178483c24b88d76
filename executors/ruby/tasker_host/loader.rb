# frozen_string_literal: true

require_relative "constants"
require_relative "exit_guard"
require_relative "extensions"
require_relative "failure"
require_relative "handler"
require_relative "load_thread_errors"
require_relative "load_timer"
require_relative "redefinitions"
require_relative "scan"
require_relative "sdk"

module TaskerHost
  # Loads every handler file below a folder and registers the handlers. A request can name only handlers that were
  # registered here: no name in a request becomes a constant or a path.
  class Loader
    CLASS_NAME = Module.instance_method(:name)
    NAME_BYTES = 200

    # Failures by file, as the worker reports them.
    attr_reader :errors

    # app is the Rails app whose handlers in app_folders are served too, or nil. skip has the names of files that do not
    # finish loading. timer bounds the time of each other file.
    def initialize(root, timer, app: nil, app_folders: [], skip: [])
      @root = File.directory?(root) ? File.realpath(root) : root
      @timer = timer
      @app = app
      @app_files = app&.handler_files(app_folders)
      @skip = skip
      @errors = []
      @loaded = {}
      @failed = []
    end

    # Loads the files and returns the handlers by name.
    def load
      files = @files = find
      Extensions.load(files.values)
      Constants.serve(@root, files)
      $LOAD_PATH.concat([File.dirname(SDK::FILE), @root] - $LOAD_PATH)
      @thread_errors = LoadThreadErrors.new
      @thread_errors.watch do
        load_app(files)
        load_files(files)
      end
      @errors.sort_by! { |error| error[:file] }
      served
    end

    # Takes an error that was raised in the main thread. Returns the load error of the file that started the thread from
    # which the error comes, or nil if no file did.
    def fail_file(error)
      file = @thread_errors&.origin(error)
      name = @loaded[file] || @files&.key(file)&.then { |path| relative(path) }
      name ||= @loading if @thread_errors&.loading?
      @failed << name if name
      name && refuse(file || name, name, error)
    end

    private

    # The real paths of the files in the folder, by path.
    def find
      found = Scan.files(@root)
      found.skipped.each { |path, reason| TaskerHost.log&.warn("ruby/#{relative(path)} is not loaded: #{reason}") }
      found.files.reject { |path| @skip.include?(relative(path)) }.to_h { |path| [path, File.realpath(path)] }
    end

    # Loads the app's files before the files of the folder, which may use the app's constants.
    def load_app(files)
      return unless @app_files

      (@app_files.paths - files.values).each do |file|
        name = @app_files.name(file)
        attempt(file, name) { @app_files.load(file) } unless @skip.include?(name)
      end
    end

    def load_files(files)
      redefinitions = Redefinitions.new(files.to_h { |path, file| [file, relative(path)] })
      redefinitions.watch { files.each { |path, file| load_file(path, file) } }
      redefinitions.found.each { |second, error| refuse(second, relative(files.key(second)), error) }
    end

    # `require` does not load a file again that another file has required.
    def load_file(path, file)
      attempt(file, relative(path)) do
        require file
        @loaded[file] = @loaded[path] = relative(path)
      end
    end

    def attempt(file, name, &block)
      @loading = name
      @timer.load(name) { ExitGuard.during(&block) }
    rescue NoMemoryError
      raise
    rescue Exception => e # rubocop:disable Lint/RescueException -- a SyntaxError is no StandardError
      refuse(file, name, e)
    end

    def refuse(file, name, error)
      known = @errors.find { |other| other[:file] == name } # the first error names the cause
      return known if known

      @errors << (failure = Failure.of_load(name, error))
      report(file, failure)
      failure
    end

    def report(file, failure)
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
      return unless name && name.bytesize <= NAME_BYTES
      return unless candidate.public_method_defined?(:process) && !abstract?(candidate)

      source = source_file(candidate, name)
      file = @loaded[source] || @app&.file_of(candidate, source)
      Handler.new(candidate, name: name, file: file, reloadable: @app&.reloading?) if file && !@failed.include?(file)
    end

    # Whether a class leaves `process` to its subclasses.
    def abstract?(candidate)
      Handler.library?(candidate.instance_method(:process).owner)
    end

    # The file that defines the class, or its `process` if Ruby does not know that file.
    def source_file(candidate, name)
      file = Object.const_source_location(name)&.first
      file || candidate.instance_method(:process).source_location&.first
    rescue NameError # an anonymous module in the path, or a constant that was removed
      nil
    end
  end
end
