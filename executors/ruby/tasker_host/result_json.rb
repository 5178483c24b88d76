# frozen_string_literal: true

require "json"
require_relative "plain_json"

module TaskerHost
  # Converts the result of a handler into JSON that every language and PostgreSQL read back unchanged, or raises an
  # error that names the place and the reason. The rules are in sdk/tasker.rb.
  module ResultJSON
    # The result is not valid. A retry does not help.
    class Unacceptable < StandardError; end
    class Invalid < Unacceptable; end
    class TooLarge < Unacceptable; end

    INLINE_BYTES = 1 << 20
    MEMBERS = 1_000_000
    NUL = /(?<!\\)(?:\\\\)*\\u0000/

    class << self
      # The JSON text of value.
      def generate(value, max_bytes:, max_depth:)
        json = PlainJSON.generate(value, max_depth) || JSON.generate(convert(value, "result", max_depth))
        check(json, max_bytes) { convert(value, "result", max_depth) }
        json
      rescue JSON::JSONError, EncodingError => e
        raise Invalid, "the result cannot be written as JSON: #{e.message}"
      end

      # value as it is read back. what is the name of the value in errors.
      def plain(value, max_bytes:, max_depth:, what: "the result")
        JSON.parse(generate(value, max_bytes: max_bytes, max_depth: max_depth))
      rescue Unacceptable => e
        raise e.class, e.message.sub(/\A(?:the )?result/, what)
      end

      def timestamp(time)
        time.getutc.strftime(time.nsec.zero? ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%dT%H:%M:%S.%6NZ")
      end

      private

      def check(json, max_bytes)
        if json.bytesize > max_bytes
          raise TooLarge, "the result is #{json.bytesize} bytes of JSON, more than the #{max_bytes} allowed; " \
                          "store it elsewhere and return where it is"
        end
        return unless json.include?('\u0000') && json.match?(NUL)

        yield # raises an error that names the place
        raise Invalid, "the result holds the character U+0000, which PostgreSQL cannot store"
      end

      def utf8?(string)
        string.encoding == Encoding::UTF_8 ? string.valid_encoding? : string.ascii_only?
      end

      def convert(value, path, depth)
        case value
        when Hash then convert_hash(value, path, deeper(depth, path))
        when Array then convert_array(value, path, deeper(depth, path))
        when String then convert_string(value, path)
        when Float then finite(value, path)
        when Integer, Symbol, nil, true, false then value
        else convert(convert_object(value, path), path, depth)
        end
      end

      def deeper(depth, path)
        return depth - 1 if depth.positive?

        raise Invalid, "the result is nested too deeply, or contains itself, at #{path[0, 200]}"
      end

      def convert_hash(hash, path, depth)
        hash.each_with_object({}) do |(key, member), made|
          name = convert_key(key, path)
          raise Invalid, "#{path} has the key #{name.inspect[0, 100]} twice, once as a #{key.class}" if made.key?(name)

          made[name] = convert(member, "#{path}.#{name}", depth)
        end
      end

      def convert_array(array, path, depth)
        array.each_with_index.map { |member, i| convert(member, "#{path}[#{i}]", depth) }
      end

      def convert_key(key, path)
        case key
        when String then convert_string(key, "a key of #{path}")
        when Symbol, Integer, Float, nil, true, false then key.to_s
        else
          text = convert_object(key, "a key of #{path}")
          text.is_a?(String) ? text : raise(Invalid, "#{path} has a key of class #{key.class}; keys must be strings")
        end
      end

      def convert_string(string, path)
        raise Invalid, "#{path} holds the character U+0000, which PostgreSQL cannot store" if string.b.include?("\0")
        return string if utf8?(string)

        binary = string.encoding == Encoding::BINARY
        text = binary ? string.dup.force_encoding(Encoding::UTF_8) : string.encode(Encoding::UTF_8)
        return text if text.valid_encoding?

        raise Invalid, "#{path} is a string that is not valid UTF-8; encode bytes, for example as Base64"
      rescue EncodingError
        raise Invalid, "#{path} is a string that is not valid #{string.encoding}"
      end

      def finite(float, path)
        return float if float.finite?

        raise Invalid, "#{path} is #{float}, which JSON cannot hold"
      end

      def convert_object(value, path)
        return timestamp(value) if value.is_a?(Time)
        return timestamp(value.to_time) if defined?(::DateTime) && value.is_a?(::DateTime)
        return value.strftime("%Y-%m-%d") if defined?(::Date) && value.is_a?(::Date)
        return finite(value, path).to_s("F") if defined?(::BigDecimal) && value.is_a?(::BigDecimal)
        return value.to_a if defined?(::Set) && value.is_a?(::Set)
        return own_json(value, path) if custom_json?(value)

        refuse(value, path)
      end

      def own_json(value, path)
        json = value.is_a?(Enumerator) ? members(value, path) : value.as_json
        meaningless?(json) || json.equal?(value) ? refuse(value, path) : json
      end

      # The members of an enumerator, which may be infinite, like `loop`.
      def members(enumerator, path)
        members = enumerator.size&.infinite? ? nil : enumerator.first(MEMBERS + 1)
        return members if members && members.size <= MEMBERS

        raise Invalid, "#{path} is a #{enumerator.class} with more than #{MEMBERS} members, or without an end; " \
                       "return an array"
      end

      # Whether the JSON is only the to_s of an object, like "#<File:0x…>".
      def meaningless?(json)
        json.is_a?(String) && json.start_with?("#<")
      end

      def refuse(value, path)
        raise Invalid, "#{path} is a #{value.class}, which JSON cannot hold; return hashes, arrays, strings and numbers"
      end

      # Whether the class of value defines its JSON, as records, relations and structs do with ActiveSupport. For other
      # objects ActiveSupport would return the instance variables, which are not meant to be stored.
      def custom_json?(value)
        value.respond_to?(:as_json) && (value.respond_to?(:to_hash) || !Object.equal?(value.method(:as_json).owner))
      end
    end
  end
end
