# frozen_string_literal: true

module TaskerHost
  # The secrets that handlers read. They are redacted in everything that the host logs or reports.
  module Secrets
    # The size in bytes of the shortest value that is redacted: a shorter one would redact ordinary words.
    MIN_BYTES = 4
    MASK = "[REDACTED]"

    @values = []
    @lock = Mutex.new

    class << self
      # Redacts value in logs and failures from now on.
      def add(value)
        return unless value.is_a?(String) && value.bytesize >= MIN_BYTES && !@values.include?(value)

        @lock.synchronize { @values = (@values | [value.dup.freeze]).sort_by { |secret| -secret.length } }
      end

      # Returns text without the secrets.
      def redact(text)
        @values.inject(text) { |clean, secret| clean.include?(secret) ? clean.gsub(secret, MASK) : clean }
      end

      # Redacts the strings in a JSON value.
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
