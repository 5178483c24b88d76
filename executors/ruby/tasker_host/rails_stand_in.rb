# frozen_string_literal: true

require_relative "log"

module TaskerHost
  # Replaces Rails for handlers if no app is booted. `defined?(Rails)` stays nil, so that libraries do not expect Rails.
  module RailsStandIn
    # The name of the environment, with predicates such as Rails.env.production?
    class Environment < String
      def method_missing(name, *arguments)
        name.end_with?("?") && arguments.empty? ? self == name.to_s.chomp("?") : super
      end

      def respond_to_missing?(name, *)
        name.end_with?("?") || super
      end
    end

    class << self
      def logger
        TaskerHost.log
      end

      def env
        Environment.new(ENV["RAILS_ENV"] || ENV["RACK_ENV"] || "development")
      end

      def root
        require "pathname"
        Pathname.new(Dir.pwd)
      end

      def application
        nil
      end
    end
  end
end
