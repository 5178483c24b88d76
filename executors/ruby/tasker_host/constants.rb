# frozen_string_literal: true

module TaskerHost
  # Finds constants in the files that are named for them, as Rails does: Shop::Gateway in shop/gateway.rb. The loader
  # loads every file; this is for a constant that a file needs before its own file is loaded. A folder without a file of
  # its name is a module. Several threads may look up one constant at once: all of them get the same object.
  module Constants
    @files = {}
    @folders = {}
    @stand_ins = {}
    @made = {}
    @lock = Mutex.new

    class << self
      # files are real paths by path.
      def serve(root, files)
        files.each do |name, file|
          path = name.delete_prefix("#{root}/").delete_suffix(".rb")
          @files[key(path)] ||= file
          folder = File.dirname(path)
          until folder == "."
            @folders[key(folder)] = true
            folder = File.dirname(folder)
          end
        end
        Module.prepend(Missing) unless Module.include?(Missing)
      end

      # Registers the block to find a top-level constant that is missing. The block may run more than once.
      def stand_in(name, &block)
        @stand_ins[name] = block
      end

      # [constant] for the one called name in scope or around it, or nil.
      def find(scope, name)
        scopes(scope).each do |owner|
          found = load(owner, name)
          return found if found
        end
        @stand_ins.key?(name) ? [@made[name] ||= @stand_ins[name].call] : nil
      end

      private

      # scope and the modules around it, Object last.
      def scopes(scope)
        return [Object] if scope.equal?(Object)

        parts = scope.name.to_s.split("::")
        around = parts.size.downto(1).map { |n| parts.first(n).join("::") }
        around.filter_map { |name| Object.const_get(name) if Object.const_defined?(name) } << Object
      end

      def load(owner, name)
        return [owner.const_get(name, false)] if !owner.equal?(Object) && owner.const_defined?(name, false)

        path = key(owner.equal?(Object) ? name.to_s : "#{owner.name}::#{name}")
        file = @files[path]
        if file
          require file
          return [owner.const_get(name, false)] if owner.const_defined?(name, false)
        elsif @folders[path]
          return [folder(owner, name)]
        end
        nil
      end

      def folder(owner, name)
        @lock.synchronize do
          owner.const_defined?(name, false) ? owner.const_get(name, false) : owner.const_set(name, Module.new)
        end
      end

      # HTTPClient and http_client have the same key, without a dictionary of acronyms.
      def key(path)
        path.gsub("::", "/").delete("_").downcase
      end
    end

    # The hook. Singleton classes and anonymous modules have no files.
    module Missing
      def const_missing(name)
        found = Constants.find(self, name)
        found ? found.first : super
      end
    end
  end
end
