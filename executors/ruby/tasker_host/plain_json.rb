# frozen_string_literal: true

require "json"

module TaskerHost
  # Generates JSON of values that are types of JSON, and of no others: no custom to_json or to_s is called. Checking all
  # values first takes as long as generating, so a probe in to_json reports other values while they are generated.
  module PlainJSON
    # Replaces the to_json that the generator calls on an object. Other users of the generator are not affected.
    module ToJSONProbe
      def to_json(*)
        return super if !Thread.current[:tasker_plain_json] || is_a?(Symbol)

        Thread.current[:tasker_plain_json] = :found # an exception would leak memory of the generator
        "null"
      end
    end

    STATE = JSON.generator::State
    KINDS = [String, Integer, Float, Symbol, NilClass, TrueClass, FalseClass]
            .to_h { |kind| [kind, true] }.compare_by_identity.freeze
    # The beginning of an object's to_s. The generator writes it for a key without calling the probe.
    OBJECT = '"#<'

    class << self
      # Called when all code is loaded, because it may define to_json for classes. Then the probe may not work.
      def prepare
        JSON.generator::GeneratorMethods::Object.prepend(ToJSONProbe)
        @probe_works = custom_to_json_classes.none? { |object| write([object], 2) }
      end

      # The JSON of value, or nil if value is not plain or is nested deeper than max_nesting.
      def generate(value, max_nesting)
        write(value, max_nesting) if plain_keys?(value) && (@probe_works || plain?(value, max_nesting))
      rescue JSON::JSONError, EncodingError
        nil
      end

      private

      def write(value, max_nesting)
        Thread.current[:tasker_plain_json] = true
        json = STATE.new(max_nesting: max_nesting).generate(value)
        json unless Thread.current[:tasker_plain_json] == :found || json.include?(OBJECT)
      ensure
        Thread.current[:tasker_plain_json] = nil
      end

      # Objects of classes for which libraries often define to_json.
      def custom_to_json_classes
        known = %w[Date DateTime Set BigDecimal].select { |name| Object.const_defined?(name) }
        objects = known.map { |name| name == "BigDecimal" ? BigDecimal("1") : Object.const_get(name).new }
        [Object.new, Time.at(0), Struct.new(:a).new(1)] + objects
      end

      # Whether the keys are all strings, or all symbols: the generator would write a key twice that is both, and other
      # keys as to_s. Nested hashes are not checked, because that takes as long as generating.
      def plain_keys?(value)
        return true unless value.is_a?(Hash) && (key, = value.first)

        kind = key.class
        return false unless kind.equal?(String) || kind.equal?(Symbol)

        value.each_key { |other| return false unless kind.equal?(other.class) } if value.size > 1
        true
      end

      # Whether all values are types of JSON. Used if the probe does not work.
      def plain?(value, depth)
        return true if KINDS.key?(value.class)
        return false unless depth.positive?

        case value
        when Hash
          value.all? { |key, member| (key.is_a?(String) || key.is_a?(Symbol)) && plain?(member, depth - 1) }
        when Array then value.all? { |member| plain?(member, depth - 1) }
        end
      end
    end
  end
end
