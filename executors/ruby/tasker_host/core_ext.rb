# frozen_string_literal: true

require "time"

# The part of ActiveSupport that step handlers use most, for when it is not installed. Nothing that is there already is
# replaced, and ActiveSupport replaces all of it when it is loaded later.
module TaskerHost
  module CoreExt
    # A hash that takes symbols for its string keys, at any depth.
    class IndifferentHash < Hash
      def self.of(value)
        case value
        when IndifferentHash then value
        when Hash then value.each_with_object(new) { |(key, member), hash| hash[key] = member }
        when Array then value.map { |member| of(member) }
        else value
        end
      end

      def []=(key, value)
        super(plain(key), self.class.of(value))
      end
      alias store []=

      def fetch(key, *default, &block)
        super(plain(key), *default, &block)
      end

      %i[[] key? has_key? include? member? delete].each do |name|
        define_method(name) { |key| super(plain(key)) }
      end

      def dig(key, *rest)
        super(plain(key), *rest)
      end

      %i[values_at fetch_values slice except].each do |name|
        define_method(name) { |*keys| super(*keys.map { |key| plain(key) }) } if Hash.method_defined?(name)
      end

      def merge(*others)
        others.inject(self.class.of(to_h)) { |all, other| all.update(other) }
      end

      def update(other)
        other.each { |key, value| self[key] = value }
        self
      end
      alias merge! update

      def with_indifferent_access
        self
      end

      private

      def plain(key)
        key.is_a?(Symbol) ? key.to_s : key
      end
    end

    # A length of time: 5.minutes, 2.hours.ago.
    class Duration < Numeric
      attr_reader :value

      def initialize(value)
        @value = value
      end

      def ago(time = Time.now)
        time - value
      end
      alias until ago
      alias before ago

      def from_now(time = Time.now)
        time + value
      end
      alias since from_now
      alias after from_now

      def to_i
        value.to_i
      end
      alias in_seconds to_i

      def to_f
        value.to_f
      end

      def to_r
        value.to_r
      end

      def to_s
        value.to_s
      end

      def coerce(other)
        [other, value]
      end

      def -@
        self.class.new(-value)
      end

      %i[+ - * /].each do |operator|
        define_method(operator) { |other| self.class.new(value.public_send(operator, other.is_a?(Duration) ? other.value : other)) }
      end

      def <=>(other)
        value <=> (other.is_a?(Duration) ? other.value : other)
      end

      def ==(other)
        (self <=> other)&.zero? || false
      end
    end

    # Adds the methods of the block to owner, but for those that it has.
    def self.add(owner, &block)
      extension = Module.new(&block)
      extension.instance_methods.each do |name|
        next if owner.method_defined?(name)

        method = extension.instance_method(name)
        owner.define_method(name) { |*arguments, &given| method.bind_call(self, *arguments, &given) }
      end
    end

    def self.transform_keys(value, &block)
      case value
      when Hash then value.to_h { |key, member| [block.call(key), transform_keys(member, &block)] }
      when Array then value.map { |member| transform_keys(member, &block) }
      else value
      end
    end

    SYMBOL = ->(key) { key.respond_to?(:to_sym) ? key.to_sym : key }

    add(Object) do
      def blank?
        respond_to?(:empty?) ? !!empty? : !self
      end

      def present?
        !blank?
      end

      def presence
        self if present?
      end

      def in?(collection)
        collection.include?(self)
      end

      def presence_in(collection)
        self if collection.include?(self)
      end

      def try(name = nil, *arguments, &block)
        return if nil?
        return block.call(self) if name.nil?

        public_send(name, *arguments, &block) if respond_to?(name)
      end

      def deep_dup
        case self
        when Hash then each_with_object(dup.clear) { |(key, value), copy| copy[key] = value.deep_dup }
        when Array then map(&:deep_dup)
        when Module, Method then self
        else dup
        end
      end
    end

    add(Hash) do
      def with_indifferent_access
        IndifferentHash.of(self)
      end

      def symbolize_keys
        transform_keys(&SYMBOL)
      end
      alias_method :to_options, :symbolize_keys

      def stringify_keys
        transform_keys(&:to_s)
      end

      def deep_symbolize_keys
        CoreExt.transform_keys(self, &SYMBOL)
      end

      def deep_stringify_keys
        CoreExt.transform_keys(self, &:to_s)
      end

      def deep_merge(other, &block)
        merge(other) do |key, mine, theirs|
          if mine.is_a?(Hash) && theirs.is_a?(Hash) then mine.deep_merge(theirs, &block)
          else block ? block.call(key, mine, theirs) : theirs
          end
        end
      end

      def compact_blank
        reject { |_key, value| value.blank? }
      end

      def except(*keys)
        reject { |key, _value| keys.include?(key) }
      end

      def reverse_merge(other)
        other.merge(self)
      end
    end

    add(Array) do
      def second
        self[1]
      end

      def compact_blank
        reject(&:blank?)
      end

      def to_sentence
        size < 3 ? join(" and ") : "#{self[0..-2].join(", ")}, and #{last}"
      end
    end

    add(Enumerable) do
      def index_by
        to_h { |member| [yield(member), member] }
      end

      def pluck(*keys)
        keys.one? ? map { |member| member[keys.first] } : map { |member| keys.map { |key| member[key] } }
      end

      def many?
        count > 1
      end

      def exclude?(member)
        !include?(member)
      end
    end

    add(String) do
      def blank?
        match?(/\A[[:space:]]*\z/)
      end

      def exclude?(text)
        !include?(text)
      end

      def squish
        strip.gsub(/[[:space:]]+/, " ")
      end

      def truncate(length)
        size > length ? "#{self[0, length - 3]}..." : dup
      end

      def underscore
        gsub("::", "/").gsub(/([A-Z]+)(?=[A-Z][a-z])|([a-z\d])(?=[A-Z])/) { "#{$1 || $2}_" }.tr("-", "_").downcase
      end

      def camelize
        gsub(%r{(?:\A|_|(/))([a-z\d]*)}) { "#{"::" if $1}#{$2.capitalize}" }
      end

      def humanize
        sub(/_id\z/, "").tr("_", " ").strip.capitalize
      end

      def titleize
        underscore.tr("_", " ").gsub(/\b[a-z]/, &:upcase)
      end

      def parameterize
        downcase.gsub(/[^a-z0-9\-_]+/, "-").gsub(/\A-+|-+\z/, "")
      end
    end
    String.define_method(:blank?) { match?(/\A[[:space:]]*\z/) }

    add(Numeric) do
      { second: 1, minute: 60, hour: 3600, day: 86_400, week: 604_800 }.each do |unit, seconds|
        [unit, :"#{unit}s"].each { |name| define_method(name) { Duration.new(self * seconds) } }
      end
    end

    add(Time) do
      def beginning_of_day
        Time.new(year, month, day, 0, 0, 0, utc_offset)
      end

      def end_of_day
        beginning_of_day + 86_399.999999
      end
    end

    add(Time.singleton_class) do
      def current
        Time.now.utc
      end

      def zone
        ZONE
      end
    end

    # Time.zone, which is UTC here.
    ZONE = Object.new
    class << ZONE
      def now
        Time.now.utc
      end

      def today
        Time.now.utc.to_date
      end

      def parse(text)
        Time.parse("#{text} UTC").utc
      end

      def name
        "UTC"
      end
    end

    require "date"
    add(Date.singleton_class) do
      def current
        Time.now.utc.to_date
      end
    end
  end
end
