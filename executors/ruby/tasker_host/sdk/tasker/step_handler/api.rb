# frozen_string_literal: true

require_relative "../../../api_response"
require_relative "api_config"
require_relative "http"

module Tasker
  module StepHandler
    # The superclass of handlers that call an HTTP API: `process` makes the call with `connection` and returns its
    # response. The status decides: 200 to 226 succeeds; 400, 401, 403, 404 and 422 fail permanently; others are
    # retried, 429 and 503 after the delay of Retry-After.
    class Api < Base
      # The block may adjust the connection.
      def initialize(options = nil, config: options.is_a?(Hash) ? options[:config] : options, &connection_block)
        super(config: config)
        @connection_block = connection_block
      end

      # A Faraday connection, or one of Tasker::StepHandler::HTTP with the same methods when Faraday is not installed.
      def connection
        @connection ||= HTTP.connect(config, &@connection_block)
      end

      def process_results(step, process_output, initial_results)
        return unless step.results == initial_results

        api_response = TaskerHost::ApiResponse
        step.results = api_response.response?(process_output) ? api_response.stored(process_output) : process_output
      end
    end
  end
end
