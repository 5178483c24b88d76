# frozen_string_literal: true

require "json"

module TaskerHost
  # Writes JSON of values that are JSON's own, and of nothing else: no object is asked for a JSON, or a text, of its own. To look at
  # all values before they are written took as long as writing them, so the generator tells of others when it meets one.
  module PlainJSON
    # What the generator calls on an object. Whoever else generates JSON notices nothing.
    module ToJSONProbe
      def to_json(*)
        return super if !Thread.current[:tasker_plain_json] || is_a?(Symbol)

        Thread.current[:tasker_plain_json] = :met # an exception would leak the generator's memory
        "null"
      end
    end

    STATE = JSON.generator::State
    KINDS = [String, Integer, Float, Symbol, NilClass, TrueClass, FalseClass].to_h { |kind| [kind, true] }.compare_by_identity.freeze
    # How the text of an object begins. As a key the generator takes it without telling.
    OBJECT = '"#<'

    class << self
      # To be called when all code is loaded, of which some may have given objects a JSON of their own.
      def prepare
        JSON.generator::GeneratorMethods::Object.prepend(ToJSONProbe)
        @probe_works = custom_to_json_classes.none? { |object| write([object], 2) }
      end

      # The JSON of value, nested no deeper than max_nesting, or nil when it is not plain, or no JSON.
      def generate(value, max_nesting)
        write(value, max_nesting) if plain_keys?(value) && (@probe_works || plain?(value, max_nesting))
      rescue JSON::JSONError, EncodingError
        nil
      end

      private

      def write(value, max_nesting)
        Thread.current[:tasker_plain_json] = true
        json = STATE.new(max_nesting: max_nesting).generate(value)
        json unless Thread.current[:tasker_plain_json] == :met || json.include?(OBJECT)
      ensure
        Thread.current[:tasker_plain_json] = nil
      end

      # Objects that libraries like to give a JSON of their own.
      def custom_to_json_classes
        known = %w[Date DateTime Set BigDecimal].select { |name| Object.const_defined?(name) }
        [Object.new, Time.at(0), Struct.new(:a).new(1)] + known.map { |name| name == "BigDecimal" ? BigDecimal("1") : Object.const_get(name).new }
      end

      # Whether the keys are all strings, or all symbols: the generator would write one twice that is there as both, and of other
      # keys their texts. Hashes within are not looked at, which would take as long as writing them.
      def plain_keys?(value)
        return true unless value.is_a?(Hash) && (key, = value.first)

        kind = key.class
        return false unless kind.equal?(String) || kind.equal?(Symbol)

        value.each_key { |other| return false unless kind.equal?(other.class) } if value.size > 1
        true
      end

      # Whether all values are JSON's own, for where the generator does not tell.
      def plain?(value, depth)
        return true if KINDS.key?(value.class)
        return false unless depth.positive?

        case value
        when Hash then value.all? { |key, member| (key.is_a?(String) || key.is_a?(Symbol)) && plain?(member, depth - 1) }
        when Array then value.all? { |member| plain?(member, depth - 1) }
        end
      end
    end
  end
end
