# frozen_string_literal: true

module Tasker
  module StepHandler
    class Api < Base
      SUCCESS = :theirs
      PERMANENT = :theirs

      # No handler_config can be read from it but what it names.
      class Config
        attr_accessor :url, :params, :ssl, :headers, :retry_delay, :enable_exponential_backoff, :jitter_factor

        def initialize(url:, params: {}, ssl: nil, headers: default_headers, retry_delay: 1.0, enable_exponential_backoff: true,
                       jitter_factor: rand)
          @url, @params, @ssl, @headers = url, params, ssl, headers
          @retry_delay, @enable_exponential_backoff, @jitter_factor = retry_delay, enable_exponential_backoff, jitter_factor
        end

        private

        def default_headers
          { "Accept" => "application/json" }
        end
      end

      def initialize(config: Config.new(url: "http://localhost"), &_block)
        super(config: config)
      end

      def handle(*)
        raise "the engine's own handle"
      end

      def process(*)
        raise NotImplementedError
      end

      protected

      def process_results(step, process_output, initial_results)
        return unless step.results == initial_results

        step.results = process_output.respond_to?(:body) ? { "status" => process_output.status, "body" => process_output.body } : process_output
      end
    end
  end
end
