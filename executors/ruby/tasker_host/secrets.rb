# frozen_string_literal: true

module TaskerHost
  # The secrets that handlers have been given. They are cut out of everything that is logged or reported.
  module Secrets
    SHORTEST = 4
    MASK = "[FILTERED]"

    @values = []
    @lock = Mutex.new

    class << self
      def add(value)
        return unless value.is_a?(String) && value.length >= SHORTEST && !@values.include?(value)

        @lock.synchronize { @values = (@values | [value.dup.freeze]).sort_by { |secret| -secret.length } }
      end

      def redact(text)
        @values.inject(text) { |clean, secret| clean.include?(secret) ? clean.gsub(secret, MASK) : clean }
      end

      # The same for the strings in a value of JSON.
      def redact_all(value)
        return value if @values.empty?

        case value
        when String then redact(value)
        when Array then value.map { |member| redact_all(member) }
        when Hash then value.to_h { |key, member| [key, redact_all(member)] }
        else value
        end
      end
    end
  end
end
