# frozen_string_literal: true

require_relative "secrets"

module TaskerHost
  # Makes any text valid UTF-8 of bounded size, without U+0000 and secrets.
  module Text
    REPLACEMENT = "\uFFFD"

    def self.clip(value, max_bytes)
      text = Secrets.redact(utf8(value.to_s).tr("\u0000", REPLACEMENT))
      return text if text.bytesize <= max_bytes

      "#{text.byteslice(0, max_bytes - 32).scrub("")}... (#{text.bytesize} bytes)"
    rescue StandardError
      "(unprintable #{value.class})"
    end

    # text in valid UTF-8, whatever its encoding.
    def self.utf8(text)
      text = text.dup.force_encoding(Encoding::UTF_8) if text.encoding == Encoding::BINARY
      text.encode(Encoding::UTF_8, invalid: :replace, undef: :replace, replace: REPLACEMENT).scrub(REPLACEMENT)
    end
  end
end
