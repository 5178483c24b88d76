# frozen_string_literal: true

module TaskerHost
  # Finds handler files.
  module Scan
    SKIPPED = %w[tasker_host node_modules __pycache__ vendor testdata].freeze
    # The paths of the *.rb files below a folder, sorted, and the reasons for which others are skipped, unless it is
    # their name.
    #
    # Links to files are followed. A file with several paths is loaded once, by its own path if that is in the folder.
    # Links to folders are not followed. A missing folder has no files.
    Found = Struct.new(:files, :links, :skipped)

    class << self
      def files(root)
        found = Found.new([], [], {})
        walk(root, found) if File.directory?(root)
        first = {}
        (found.files.sort + found.links.sort).each { |path| add_once(path, first, root, found) }
        found.files = first.values.sort
        found
      end

      private

      def add_once(path, first, root, found)
        real = File.realpath(path)
        if first.key?(real)
          found.skipped[path] = "it is the same file as #{first[real].delete_prefix("#{root}/")}"
        else
          first[real] = path
        end
      end

      def walk(folder, found)
        Dir.children(folder).each do |name|
          visit(File.join(folder, name), found) unless name.start_with?(".", "_") || SKIPPED.include?(name)
        end
      rescue SystemCallError => e
        found.skipped[folder] = "it cannot be read: #{e.message}"
      end

      def visit(path, found)
        if File.symlink?(path) then follow(path, found)
        elsif File.directory?(path) then walk(path, found)
        elsif path.end_with?(".rb") then keep(path, found.files, found)
        end
      end

      # Follows a link to a file. A broken link is reported only if it has the name of a handler file.
      def follow(link, found)
        if File.directory?(link)
          found.skipped[link] = "it is a link to a folder, and those are not followed"
        elsif link.end_with?(".rb")
          File.exist?(link) ? keep(link, found.links, found) : found.skipped[link] = "it is a link that leads nowhere"
        end
      end

      def keep(path, among, found)
        File.file?(path) ? among << path : found.skipped[path] = "it is no file"
      end
    end
  end
end
