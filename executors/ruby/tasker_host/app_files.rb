# frozen_string_literal: true

require_relative "scan"

module TaskerHost
  # The files of an app that hold handlers. They are loaded one by one through the app's autoloader, so that a file that
  # cannot be loaded is reported and the others are served.
  class AppFiles
    DEFAULT = ["app/tasks"].freeze

    def initialize(root, folders)
      @root = root
      @folders = folders.map { |folder| File.expand_path(folder, root) }
    end

    # The paths, without those that the app's autoloader ignores.
    def paths
      found = @folders.flat_map { |folder| Scan.files(File.directory?(folder) ? File.realpath(folder) : folder).files }
      found.uniq { |file| File.realpath(file) }.reject { |file| ignored?(file) }
    end

    # The name of the file in messages.
    def name(file)
      file.delete_prefix("#{@root}/")
    end

    # Loads the file through the constant that it defines, if the autoloader knows the constant. After a `require`, the
    # constant would not know where it is defined.
    def load(file)
      constant = constant(file)
      if constant
        Object.const_get(constant)
      elsif respond_to?(:require_dependency, true)
        require_dependency(file) # the autoloader before Zeitwerk
      else
        require file
      end
    end

    private

    def zeitwerk
      return unless defined?(::Rails) && ::Rails.respond_to?(:autoloaders)

      ::Rails.autoloaders.main
    end

    # The autoloader's folder that the file is in, or nil.
    def base(file)
      zeitwerk&.dirs&.select { |dir| file.start_with?("#{dir}/") }&.max_by(&:length)
    end

    # The constant that the file must define; nil for a file that is ignored or outside the autoloader's folders.
    def constant(file)
      base = base(file) or return
      return zeitwerk.cpath_expected_at(file) if zeitwerk.respond_to?(:cpath_expected_at)

      names = file.delete_prefix("#{base}/").delete_suffix(".rb").split("/") # Zeitwerk before 2.6.9
      parts = names.each_with_index.map do |name, i|
        zeitwerk.inflector.camelize(name, File.join(base, *names.first(i + 1)))
      end
      parts.join("::")
    end

    def ignored?(file)
      base(file) && constant(file).nil?
    rescue ::NameError # no constant can have the name of the file; loading it reports that
      false
    end
  end
end
