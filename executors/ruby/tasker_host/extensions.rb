# frozen_string_literal: true

require_relative "constants"
require_relative "rails_stand_in"

module TaskerHost
  # Libraries that handlers of a Rails app expect. ActiveSupport and ActiveModel are loaded if they are installed;
  # nothing imitates them otherwise. A host without such handlers starts in a third of the time.
  module Extensions
    # A text that each file with a handler of the engine contains.
    SUPERCLASS = "StepHandler::"

    class << self
      def load(files)
        Constants.stand_in(:Faraday) { faraday }
        Constants.stand_in(:Rails) { RailsStandIn }
        return if defined?(::ActiveSupport::VERSION) || files.none? { |file| File.binread(file).include?(SUPERCLASS) }

        complete("ActiveSupport") { active_support }
        complete("ActiveModel") { require "active_model" }
      end

      private

      def active_support
        require "logger" # ActiveSupport before 7.1 needs it
        require "active_support"
        require "active_support/all"
        Time.zone_default ||= Time.find_zone!("UTC") # Time.zone= sets the zone of this thread only
      end

      # Reports a library that is installed and does not load. A library that is not installed is ignored.
      def complete(library)
        yield
      rescue LoadError => e
        warn "tasker host: #{library} is not complete: #{e.message}" if Object.const_defined?(library)
      rescue StandardError => e
        warn "tasker host: #{library} cannot be loaded: #{e.class}: #{e.message}"
      end

      def faraday
        require "faraday"
        ::Faraday
      rescue LoadError
        require_relative "sdk/tasker/step_handler/api"
        Tasker::StepHandler::HTTP
      end
    end
  end
end
