# frozen_string_literal: true

require_relative "log"

module TaskerHost
  # What handlers ask of Rails where no app is booted. `defined?(Rails)` stays nil, so that libraries are not misled.
  module RailsStandIn
    # The environment's name; Rails.env.production? and the like.
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
