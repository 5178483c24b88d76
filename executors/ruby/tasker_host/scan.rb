# frozen_string_literal: true

module TaskerHost
  # Finds handler files.
  module Scan
    SKIPPED = %w[tasker_host node_modules __pycache__ vendor testdata].freeze

    # The paths of the *.rb files below root, sorted. Links to folders are not followed; a missing root has no files.
    def self.files(root)
      return [] unless File.directory?(root)

      Dir.children(root).reject { |name| skip?(name) }.flat_map { |name| entry(File.join(root, name)) }.sort
    end

    def self.entry(path)
      return [] if File.symlink?(path) && File.directory?(path)
      return files(path) if File.directory?(path)

      path.end_with?(".rb") ? [path] : []
    end
    private_class_method :entry

    def self.skip?(name)
      name.start_with?(".", "_") || SKIPPED.include?(name)
    end
    private_class_method :skip?
  end
end
