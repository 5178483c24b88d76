# frozen_string_literal: true

require_relative "constants"

module TaskerHost
  # What handlers written for a Rails app take for granted. ActiveSupport is loaded for them where it is installed;
  # nothing here imitates it where it is not. Hosts without such handlers start in a third of the time.
  module Extensions
    # What a file of the engine's handlers holds.
    SUPERCLASS = "StepHandler::"

    class << self
      def load(files)
        Constants.stand_in(:Faraday) { faraday }
        Constants.stand_in(:Rails) { require_relative("rails_stand_in") && RailsStandIn }
        active_support if !defined?(::ActiveSupport::VERSION) && files.any? { |file| File.binread(file).include?(SUPERCLASS) }
      end

      private

      def active_support
        require "logger" # ActiveSupport before 7.1 leans on it
        require "active_support"
        require "active_support/all"
        Time.zone_default ||= Time.find_zone!("UTC") # Time.zone= would be this thread's alone
      rescue LoadError => e
        warn "tasker host: ActiveSupport is not complete: #{e.message}" if defined?(::ActiveSupport::VERSION)
      rescue StandardError => e
        warn "tasker host: ActiveSupport cannot be loaded: #{e.class}: #{e.message}"
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
