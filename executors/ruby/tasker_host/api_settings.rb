# frozen_string_literal: true

module TaskerHost
  # Makes the whole handler_config readable from the config of an API handler, which may be a class of the engine.
  module ApiSettings
    KEYS = %w[url params ssl headers retry_delay enable_exponential_backoff jitter_factor].freeze

    # The config of a template. As in the engine, an absent key is nil. Exponential backoff is therefore off by default.
    def self.of_template(hash)
      config = Tasker::StepHandler::Api::Config
      config.include(self) unless config.include?(self)
      made = config.new(**KEYS.to_h { |key| [key.to_sym, hash[key]] })
      made.instance_variable_set(:@source, hash)
      made
    end

    def to_h
      @source || KEYS.to_h { |key| [key, public_send(key)] }
    end

    def to_hash
      to_h
    end

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
