# frozen_string_literal: true

require "logger"
require_relative "current"
require_relative "log"

module TaskerHost
  # Receives the app's log records, and forwards those of a step.
  class AppLogger < ::Logger
    def initialize
      super(nil, level: ::Logger::INFO)
    end

    def add(severity, message = nil, progname = nil, &block)
      return true if (severity || ::Logger::UNKNOWN) < level || Current.execution.nil?

      TaskerHost.log.add(severity, message || block&.call || progname)
    end
    alias log add
  end
end
