# frozen_string_literal: true

require "json"

module TaskerHost
  # Reads JSON that the worker sends.
  module Message
    # Deeper than any context or result may be, plus the message around it.
    MAX_NESTING = 100

    # JSON with a value that Ruby cannot hold. A retry does not help.
    class Unreadable < StandardError; end

    # Converts floats. Raises Unreadable for a number that a float would make infinite, or zero though it is not.
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
    # PostgreSQL writes a number that no float can hold with more digits in a row than this.
    DIGITS = 300
    CHECK_BYTES = 140 # between two checks for a digit
    # A string, a sign of JSON, or another token.
    TOKEN = /"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+/mn

    class << self
      # The value of text. Raises Unreadable, or JSON::ParserError if text is no JSON.
      def parse(text)
        JSON::Parser.new(text, **(long_number?(text) ? CAREFUL : PARSING)).parse
      rescue JSON::NestingError
        raise Unreadable, "it is nested more than #{MAX_NESTING} deep"
      end

      # The id and the method of a request that cannot be read or is cut off: texts of its outermost object, or nil.
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

      # Whether text may have a number that no float can hold. Converting each float in Ruby would take too long.
      def long_number?(text)
        at = CHECK_BYTES
        while (byte = text.getbyte(at))
          return true if byte > 47 && byte < 58 && long_number_at?(text, at)

          at += CHECK_BYTES
        end
        false
      end

      def long_number_at?(text, at)
        text.byteslice(at - CHECK_BYTES / 2, CHECK_BYTES).match?(/\A\d+\z/n) && text.match?(/\d{#{DIGITS}}/o)
      end

      def text(token)
        token[1..-2].force_encoding(Encoding::UTF_8) if token&.match?(/\A"[^"\\]*"\z/n)
      end
    end
  end
end
