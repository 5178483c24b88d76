# frozen_string_literal: true

require_relative "test_helper"
require "json"

# Replays the transcripts that every host's tests replay: sends the worker's lines and compares what the host says.
class TranscriptsTest < Minitest::Test
  HOST = File.expand_path("../tasker_host/host.rb", __dir__)
  TESTDATA = File.expand_path("../../conformance/testdata", __dir__)
  PATIENCE = 120

  Dir[File.join(TESTDATA, "transcripts", "*.jsonl")].each do |file|
    define_method("test_#{File.basename(file, ".jsonl")}") { replay(File.readlines(file).map { |line| JSON.parse(line) }) }
  end

  def replay(entries)
    start
    entries.each { |entry| entry["from"] == "worker" ? say(entry) : hear(entry) }
  ensure
    Process.kill(:KILL, @pid) unless @ended
    Process.wait(@pid) unless @ended
  end

  def start
    host_in, @to = IO.pipe
    @from, host_out = IO.pipe
    env = { "TASKER_PROTOCOL" => "1", "TASKER_RPC_IN_FD" => "3", "TASKER_RPC_OUT_FD" => "4" }
    @pid = spawn(env, "ruby", HOST, 3 => host_in, 4 => host_out, out: File::NULL, err: File::NULL)
    [host_in, host_out].each(&:close)
  end

  def say(entry)
    return @to.close if entry["end"]

    text = JSON.generate(entry["message"]).sub('"<root>"', JSON.generate(File.join(TESTDATA, "ruby")))
    @to.puts(text.sub('"<call>"', JSON.generate(@call)))
    @to.flush
  end

  def hear(entry)
    if entry["end"]
      assert_nil next_line
      @ended = Process.wait2(@pid)
      assert_equal 0, @ended.last.exitstatus
    else
      compare(entry["message"], JSON.parse(next_line), "message")
    end
  end

  # The next line that is no log record, nil at the end.
  def next_line
    loop do
      assert @from.wait_readable(PATIENCE), "the host says nothing"
      line = @from.gets
      return line unless line&.include?('"method":"log"')
    end
  end

  # Fails unless got is want. Members that want does not name may be there.
  def compare(want, got, place)
    case want
    when "<any>" then nil
    when "<call>" then assert_kind_of(String, @call = got, place)
    when "<number>" then assert_kind_of(Numeric, got, place)
    when "<text>" then assert(got.is_a?(String) && !got.empty?, place)
    when Hash then compare_members(want, got, place)
    when Array
      assert_equal want.size, got.size, place
      want.each_with_index { |value, index| compare(value, got[index], "#{place}[#{index}]") }
    else want.nil? ? assert_nil(got, place) : assert_equal(want, got, place)
    end
  end

  def compare_members(want, got, place)
    assert_kind_of Hash, got, place
    want.each do |name, value|
      if value == "<absent>"
        refute got.key?(name), "#{place}.#{name}"
      else
        assert got.key?(name), "#{place}.#{name}"
        compare(value, got[name], "#{place}.#{name}")
      end
    end
  end
end
