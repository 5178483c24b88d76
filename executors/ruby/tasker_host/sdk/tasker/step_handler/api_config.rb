# frozen_string_literal: true

require_relative "../../../api_settings"

module Tasker
  module StepHandler
    class Api < Base
      # The settings of an API handler. Other keys of the handler_config can be read with [] and fetch.
      class Config
        include TaskerHost::ApiSettings

        HEADERS = { "Content-Type" => "application/json", "Accept" => "application/json" }.freeze

        attr_reader :url, :params, :ssl, :headers, :retry_delay, :enable_exponential_backoff, :jitter_factor

        def initialize(url:, params: {}, ssl: nil, headers: HEADERS.dup, retry_delay: 1.0,
                       enable_exponential_backoff: true, jitter_factor: rand)
          @url = url
          @params = params
          @ssl = ssl
          @headers = headers
          @retry_delay = retry_delay
          @enable_exponential_backoff = enable_exponential_backoff
          @jitter_factor = jitter_factor
        end
      end
    end
  end
end
