# frozen_string_literal: true

require_relative "constants"

module TaskerHost
  # Handlers written for a Rails app lean on ActiveSupport without requiring it. It is loaded for them when it is
  # installed; without it they get the few methods that step handlers use most.
  module Extensions
    SIGNS = /\b(?:ActiveSupport|Rails)\b|\.(?:blank|present|in|exclude|many)\?|\.(?:presence|with_indifferent_access|(?:deep_)?(?:symbolize|stringify)_keys
            |deep_dup|deep_merge|try|(?:milli)?seconds?|minutes?|hours?|days?|weeks?|ago|from_now|current|zone|squish|titleize
            |underscore|camelize|humanize|parameterize|constantize|index_by|pluck|compact_blank
            |as_json|to_sentence|presence_in|beginning_of_day|end_of_day)\b|\b(?:delegate|mattr_accessor|class_attribute)\b/x.freeze

    class << self
      def load(files)
        Constants.stand_in(:Faraday) { faraday }
        return if defined?(::ActiveSupport::VERSION)
        return unless files.any? { |file| File.binread(file).match?(SIGNS) }

        Constants.stand_in(:Rails) { require_relative("rails_stand_in") && RailsStandIn }
        active_support || require_relative("core_ext")
      end

      private

      def active_support
        require "logger"
        require "active_support"
        require "active_support/all"
        Time.zone ||= "UTC"
        true
      rescue LoadError
        false
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
