# frozen_string_literal: true

module TaskerHost
  # When the module Tasker that handlers use is defined: at once, unless an app is booted. An app may bring the Rails engine,
  # whose constants have the same names and other superclasses. So nothing is defined there before somebody asks for what is
  # missing, or the app is booted, and then only what the app has not brought.
  module SDK
    FILE = File.join(__dir__, "sdk", "tasker.rb")

    class << self
      # Defines what is missing.
      def load
        @lazy = false
        require FILE
      end

      # Has what is missing defined when somebody asks for it.
      def define_lazily
        @lazy = true
        Module.prepend(Missing) unless Module.include?(Missing)
      end

      # Whether load has still to come, and could define the constant.
      def lazy?(scope, name)
        @lazy && (name == :Tasker || scope.name.to_s.match?(/\ATasker(::|\z)/))
      end

      # Whether somebody else has defined the constant, or would when it is used.
      def defined_by_app?(owner, name)
        owner.const_defined?(name, false) || classic?(owner, name)
      end

      private

      # The autoloader of Rails before 7 defines nothing before it is asked.
      def classic?(owner, name)
        return false unless defined?(::ActiveSupport::Dependencies) && ::ActiveSupport::Dependencies.respond_to?(:autoloadable_module?)
        return false if ::Rails.respond_to?(:autoloaders) && ::Rails.autoloaders.zeitwerk_enabled?

        path = "#{owner.name}::#{name}".underscore
        !::ActiveSupport::Dependencies.search_for_file(path).nil? || !::ActiveSupport::Dependencies.autoloadable_module?(path).nil?
      end
    end

    # The hook. What the app itself would find goes first.
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
