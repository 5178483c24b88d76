# frozen_string_literal: true

require_relative "constants"
require_relative "rails_stand_in"

module TaskerHost
  # What handlers written for a Rails app take for granted. ActiveSupport and ActiveModel are loaded for them where they are
  # installed; nothing here imitates them where they are not. Hosts without such handlers start in a third of the time.
  module Extensions
    # What a file of the engine's handlers holds.
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
        require "logger" # ActiveSupport before 7.1 leans on it
        require "active_support"
        require "active_support/all"
        Time.zone_default ||= Time.find_zone!("UTC") # Time.zone= would be this thread's alone
      end

      # A library that is not installed is no news; one that is, and does not load, is.
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
