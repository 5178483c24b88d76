# frozen_string_literal: true

module TaskerHost
  # A handler_config. Its keys are strings; it can be read with symbols, too.
  class ConfigHash < Hash
    def self.of(value)
      case value
      when Hash then value.each_with_object(new) { |(key, member), hash| hash[key] = of(member) }
      when Array then value.map { |member| of(member) }
      else value
      end
    end

    def [](key)
      super(plain(key))
    end

    def []=(key, value)
      super(plain(key), value)
    end
    alias store []=

    def merge(*others, &block)
      self.class.of(super)
    end

    def fetch(key, *default, &block)
      super(plain(key), *default, &block)
    end

    def dig(key, *rest)
      super(plain(key), *rest)
    end

    def key?(key)
      super(plain(key))
    end
    alias has_key? key?
    alias include? key?
    alias member? key?

    def values_at(*keys)
      super(*keys.map { |key| plain(key) })
    end

    def fetch_values(*keys, &block)
      super(*keys.map { |key| plain(key) }, &block)
    end

    def slice(*keys)
      super(*keys.map { |key| plain(key) })
    end

    private

    def plain(key)
      key.is_a?(Symbol) ? key.to_s : key
    end
  end
end
