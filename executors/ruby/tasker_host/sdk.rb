# frozen_string_literal: true

module TaskerHost
  # Defines the module Tasker for handlers. Without an app it is defined at once. An app may bring the Rails engine,
  # whose constants have the same names and other superclasses. Then the module is defined at the first missing
  # constant, or when the app is booted, and only with the constants that the app does not define.
  module SDK
    FILE = File.join(__dir__, "sdk", "tasker.rb")

    class << self
      # Defines the constants that the app does not define.
      def load
        @lazy = false
        require FILE
      end

      # Defers load until a constant is missing.
      def define_lazily
        @lazy = true
        Module.prepend(Missing) unless Module.include?(Missing)
      end

      # Whether load is deferred and could define the constant.
      def lazy?(scope, name)
        @lazy && (name == :Tasker || scope.name.to_s.match?(/\ATasker(::|\z)/))
      end

      # Whether the app defines the constant, now or through its autoloader.
      def defined_by_app?(owner, name)
        owner.const_defined?(name, false) || classic?(owner, name)
      end

      private

      # The classic autoloader of Rails before 7 defines a constant at its first use.
      def classic?(owner, name)
        return false unless defined?(::ActiveSupport::Dependencies)

        dependencies = ::ActiveSupport::Dependencies
        return false unless dependencies.respond_to?(:autoloadable_module?)
        return false if ::Rails.respond_to?(:autoloaders) && ::Rails.autoloaders.zeitwerk_enabled?

        path = "#{owner.name}::#{name}".underscore
        !dependencies.search_for_file(path).nil? || !dependencies.autoloadable_module?(path).nil?
      end
    end

    # Hooks into const_missing, after the app's own autoloader.
    module Missing
      def const_missing(name)
        super
      rescue NameError => e
        raise unless e.name == name && SDK.lazy?(self, name)

        SDK.load
        const_get(name)
      end
    end
  end
end
