# frozen_string_literal: true

module Tasker
  module StepHandler
    class Api < Base
      # The settings of an API handler. Other keys of the handler_config can be read with [] and fetch.
      class Config
        HEADERS = { "Content-Type" => "application/json", "Accept" => "application/json" }.freeze
        KEYS = %w[url params ssl headers retry_delay enable_exponential_backoff jitter_factor].freeze

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

        # The config of a template. As in the engine a key that is absent is nil there, and so exponential backoff is off
        # unless it is asked for.
        def self.of_template(hash)
          new(**KEYS.to_h { |key| [key.to_sym, hash[key]] }).tap { |config| config.instance_variable_set(:@source, hash) }
        end

        def to_h
          @source || KEYS.to_h { |key| [key, public_send(key)] }
        end
        alias to_hash to_h

        def [](key)
          to_h[key.to_s]
        end

        def fetch(key, *default, &block)
          to_h.fetch(key.to_s, *default, &block)
        end

        def dig(key, *rest)
          rest.empty? ? self[key] : self[key]&.dig(*rest)
        end

        def key?(key)
          to_h.key?(key.to_s)
        end
      end
    end
  end
end
