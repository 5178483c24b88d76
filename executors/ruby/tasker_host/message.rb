# frozen_string_literal: true

require "json"

module TaskerHost
  # Reads JSON that the worker sends.
  module Message
    # Deeper than any context or result may be, plus the message around it.
    MAX_NESTING = 100

    # JSON that holds what no Ruby value can be.
    class Unreadable < StandardError; end

    # Makes the floats. One that would be infinite, or zero though it is not, is another number than the one that was sent.
    module Number
      ZERO = /\A-?[0.]+(?:[eE]|\z)/

      def self.try_convert(text)
        float = text.to_f
        return float if float.finite? && (!float.zero? || text.match?(ZERO))

        shown = text.length > 40 ? "#{text[0, 20]}... (#{text.length} characters)" : text
        raise Unreadable, "it holds the number #{shown}, which Ruby cannot hold"
      end
    end

    PARSING = { max_nesting: MAX_NESTING }.freeze
    CAREFUL = { max_nesting: MAX_NESTING, decimal_class: Number }.freeze
    # What PostgreSQL writes out for a number that is too large or too small for a float has more digits in a row than this.
    DIGITS = 300
    LOOKS = 140 # bytes between two looks for them
    # A string at the beginning of what is looked at, or one sign of JSON.
    TOKEN = /"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+/mn

    class << self
      # The value of text. Raises Unreadable, or JSON::ParserError for what is no JSON.
      def parse(text)
        JSON::Parser.new(text, **(long_number?(text) ? CAREFUL : PARSING)).parse
      rescue JSON::NestingError
        raise Unreadable, "it is nested more than #{MAX_NESTING} deep"
      end

      # The id and the method of a request that cannot be read, or that is cut off: texts of its outermost object, or nil.
      def envelope(line)
        found, depth, name, last = {}, 0, nil, nil
        line.dup.force_encoding(Encoding::BINARY).scan(TOKEN) do |token|
          case token
          when "{", "[" then depth += 1
          when "}", "]" then depth -= 1
          else
            next unless depth == 1

            case token
            when ":" then name, last = last, nil
            when "," then name = last = nil
            else name ? found[name] ||= token : last = token
            end
          end
          break if found.key?('"id"') && found.key?('"method"')
        end
        [text(found['"id"']), text(found['"method"'])]
      end

      private

      # To look at every float takes too long.
      def long_number?(text)
        at = LOOKS
        while (byte = text.getbyte(at))
          return true if byte > 47 && byte < 58 && long_number_at?(text, at)

          at += LOOKS
        end
        false
      end

      def long_number_at?(text, at)
        text.byteslice(at - LOOKS / 2, LOOKS).match?(/\A\d+\z/n) && text.match?(/\d{#{DIGITS}}/o)
      end

      def text(token)
        token[1..-2].force_encoding(Encoding::UTF_8) if token&.match?(/\A"[^"\\]*"\z/n)
      end
    end
  end
end
