# frozen_string_literal: true

require_relative "host_process"
require "bigdecimal"
require "date"
require "set"

# A result is stored whole, or refused with the place and the reason.
class ResultsTest < Minitest::Test
  include HostProcess

  RESULT = TaskerHost::ResultJSON

  def setup
    super
    TaskerHost::PlainJSON.prepare
  end

  def refusal(value, around = { "items" => [1, value] })
    RESULT.generate(around, max_bytes: 1 << 20, max_depth: 10)
    nil
  rescue RESULT::Unacceptable => e
    e.message
  end

  def test_what_is_refused_is_named
    cyclic = []
    cyclic << cyclic
    {
      BigDecimal("NaN") => "result.items[1] is NaN, which JSON cannot hold",
      -Float::INFINITY => "result.items[1] is -Infinity, which JSON cannot hold",
      { "b" => "x\0" } => "result.items[1].b holds the character U+0000, which PostgreSQL cannot store",
      { "b" => "\xff" } => "result.items[1].b is a string that is not valid UTF-8; encode bytes, for example as Base64",
      [1].each => "result.items[1] is a Enumerator, which JSON cannot hold; return hashes, arrays, strings and numbers",
      [1].lazy => "result.items[1] is a Enumerator::Lazy, which JSON cannot hold; return hashes, arrays, strings and numbers",
      -> {} => "result.items[1] is a Proc, which JSON cannot hold; return hashes, arrays, strings and numbers",
      Thread.current => "result.items[1] is a Thread, which JSON cannot hold; return hashes, arrays, strings and numbers"
    }.each { |value, message| assert_equal message, refusal(value) }
    {
      { "a" => 1, a: 2 } => "result has the key \"a\" twice, once as a Symbol",
      { 1 => :x, "1" => :y } => "result has the key \"1\" twice, once as a String",
      { [1] => 2 } => "a key of result is a Array, which JSON cannot hold; return hashes, arrays, strings and numbers"
    }.each { |value, message| assert_equal message, refusal(nil, value) }
    assert_match(/is nested too deeply, or contains itself, at result.items\[1\]\[0\]/, refusal(cyclic))
  end

  def test_what_is_stored_is_stored_whole
    { { "a" => 1, b: 2 } => { "a" => 1, "b" => 2 }, { 1 => nil, 1.5 => true } => { "1" => nil, "1.5" => true }, [[], {}] => [[], {}],
      BigDecimal("0.1") => "0.1", Date.new(2026, 1, 2) => "2026-01-02", Set[1, [2]] => [1, [2]], :s => "s", 2**70 => 2**70 }.each do |value, stored|
      assert_equal stored, RESULT.plain(value, max_bytes: 1000, max_depth: 10), value.inspect
    end
  end

  WITH_ACTIVE_SUPPORT = <<~RUBY
    class Gives < Tasker::StepHandler::Base
      def process(_task, _sequence, step)
        case step.config[:what]
        when "file" then { file: File.open(__FILE__) }
        when "endless" then loop
        when "unknown" then Enumerator.new { |all| loop { all << 1 } }
        when "some" then [1, 2].each_slice(1)
        end
      end
    end
  RUBY

  def test_with_active_support_objects_that_tell_nothing_are_refused
    skip "ActiveSupport is not installed here" unless system("ruby", "-e", 'require "active_support"', err: File::NULL)
    write("handlers/gives.rb", WITH_ACTIVE_SUPPORT)
    start
    { "file" => "result.file is a File, which", "endless" => "result is a Enumerator with more than", "unknown" => "result is a Enumerator with more than" }.each do |what, message|
      failure = step("Gives", id: what, config: { what: what })["failure"]
      assert_equal ["permanent", "Tasker::InvalidResult"], failure.values_at("kind", "class")
      assert_includes failure["message"], message
    end
    assert_equal [[1], [2]], step("Gives", config: { what: "some" })["result"]
  end
end
