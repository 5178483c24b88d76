# frozen_string_literal: true

require_relative "test_helper"
require "bigdecimal"
require "date"
require "set"

class PlainJSONTest < Minitest::Test
  PLAIN = TaskerHost::PlainJSON
  RESULT = TaskerHost::ResultJSON

  NO_PLAIN_JSON = [Object.new, Time.at(0), Date.new(2026), Set[1], BigDecimal("1"), Struct.new(:a).new(1), Class, 1..2, 1r].freeze

  def teardown
    PLAIN.prepare
  end

  def each_way
    [true, false].each do |probe_works|
      PLAIN.prepare
      PLAIN.instance_variable_set(:@probe_works, probe_works)
      yield probe_works
    end
  end

  def test_what_is_json_is_written_as_ever
    value = { "a" => [1, 2.5, nil, true, false, "ü\u2028", {}], "b" => :symbol, "c" => { d: [[]] } }
    each_way { |probe_works| assert_equal JSON.generate(value), PLAIN.generate(value, 10), "probe works: #{probe_works}" }
  end

  def test_nothing_else_is_asked_for_a_json_or_a_text_of_its_own
    each_way do |probe_works|
      NO_PLAIN_JSON.each do |stranger|
        [stranger, [stranger], { "a" => { "b" => stranger } }].each do |value|
          assert_nil PLAIN.generate(value, 10), "#{value.class}, telling: #{probe_works}"
        end
      end
      assert_nil PLAIN.generate({ Object.new => 1 }, 10), "a key, telling: #{probe_works}"
    end
  end

  def test_what_json_cannot_hold_is_no_json
    deep = 20.times.inject([]) { |inner, _| [inner] }
    each_way { |probe_works| [Float::NAN, "\xff", deep].each { |value| assert_nil PLAIN.generate([value], 10), "#{value}, telling: #{probe_works}" } }
  end

  def test_a_library_that_gives_objects_a_json_of_their_own_is_noticed
    Time.class_eval { def to_json(*) = '"its own"' }
    PLAIN.prepare
    assert_equal '["1970-01-01T00:00:00Z"]', RESULT.generate([Time.at(0)], max_bytes: 100, max_depth: 5)
  ensure
    Time.class_eval { remove_method :to_json }
  end

  def test_others_generate_as_before
    PLAIN.prepare
    assert_equal JSON.generate([Time.at(0).to_s]), JSON.generate([Time.at(0)])
  end
end
