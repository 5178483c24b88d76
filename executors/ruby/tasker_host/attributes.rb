# frozen_string_literal: true

module TaskerHost
  # Turns the payload of an event into attributes of a log record.
  module Attributes
    def self.of(payload)
      payload.is_a?(Hash) ? payload.to_h { |key, value| [key.to_s.to_sym, value] } : { payload: payload }
    end
  end
end
