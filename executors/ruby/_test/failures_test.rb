# frozen_string_literal: true

require_relative "host_process"
require "date"

# The members of the errors of handlers: each is used or named, and an invalid one does not drop the others.
class FailuresTest < Minitest::Test
  include HostProcess

  def fails_with(error, **options)
    handler = Class.new { define_singleton_method(:name) { "Fails" } }
    handler.define_method(:process) { |_task, _sequence, step| error.respond_to?(:call) ? error.call(step) : raise(error) }
    run_handler(handler, **options)
  end

  def retries_after(value)
    got = fails_with(Tasker::RetryableError.new("busy", retry_after: value, context: { a: 1 }))
    assert_equal ["busy", 1], [got.failure.message, got.failure.details["a"]]
    [got.failure.retry_after, got.failure.details["retry_after_ignored"], got.logs.map { |record| record["message"] }]
  end

  def test_durations_and_moments_are_waited_for
    { 5 => 5.0, 0.5 => 0.5, 3r => 3.0, "30" => 30.0, 0 => 0.0, 1e300 => 1e9, Time.at(0) => 0.0, Date.new(2000) => 0.0 }.each do |value, seconds|
      assert_equal [seconds, nil, []], retries_after(value), value.inspect
    end
    [Time.now + 60, (Time.now + 60).to_datetime].each { |value| assert_in_delta 60, retries_after(value)[0], 20, value.inspect }
    assert_in_delta Date.today.jd + 3 - DateTime.now.new_offset(0).ajd - 0.5, retries_after(Date.today + 3)[0] / 86_400, 1.01
  end

  def test_dates_of_headers_are_waited_for
    soon = (Time.now + 60).utc
    ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"].each do |form|
      after, note = retries_after(soon.strftime(form))
      assert_nil note
      assert_in_delta 60, after, 20, form
    end
  end

  def test_what_is_no_duration_is_named_and_costs_nothing_else
    [-1, Float::NAN, Float::INFINITY, "Wed, 99 Oct 2037 07:28:00 GMT", "soon", [5], Complex(1, 1), true].each do |value|
      after, note, logs = retries_after(value)
      reason = "#{value.inspect} is no duration: give #{TaskerHost::Duration::FORMS}"
      assert_equal [nil, reason, ["retry_after is ignored: #{reason}"]], [after, note, logs]
    end
  end

  class BankError < IOError; end
  class Declined < BankError; end

  def test_superclasses_are_recorded
    recorded = ->(error) { TaskerHost::Failure.of(error)[:ancestors] }
    assert_equal ["FailuresTest::BankError", "IOError"], recorded.(Declined.new)
    assert_equal ["Tasker::ProceduralError", "Tasker::Error"], recorded.(Tasker::RetryableError.new("busy"))
    assert_nil recorded.(RuntimeError.new)
  end

  class Odd < Tasker::PermanentError
    def error_code = raise("no code")
    def context = raise("no context")
  end

  def test_members_that_raise_cost_no_message
    failure = fails_with(Odd.new("declined")).failure
    assert_equal ["permanent", "declined", nil], [failure.kind, failure.message, failure.code]
    assert_equal({ "details_dropped" => "no context", "error_code_ignored" => "no code" }, failure.details)
  end

  def test_the_pause_of_the_step_and_of_a_deferral_take_the_same
    got = fails_with(->(step) { (step.backoff_request_seconds = Time.now + 60) && raise("busy") })
    assert_in_delta 60, got.failure.retry_after, 20
    got = fails_with(->(step) { (step.backoff_request_seconds = "soon") && raise("busy") })
    assert_equal ["busy", nil, 1], [got.failure.message, got.failure.retry_after, got.logs.size]
    got = fails_with(Tasker::Deferred.new("soon", { "n" => 1 }))
    assert_equal [true, 0.0, { "n" => 1 }, 1], [got.deferred?, got.resume_after, got.checkpoint, got.logs.size]
  end

  def test_durations_of_active_support
    skip "ActiveSupport is not installed here" unless system("ruby", "-e", 'require "active_support"', err: File::NULL)
    write("handlers/waits.rb", "class Waits < Tasker::StepHandler::Base\n  def process(*) = raise(Tasker::RetryableError.new('busy', retry_after: " \
                               "2.minutes))\nend\nclass Until < Tasker::StepHandler::Base\n  def process(*) = raise(Tasker::RetryableError.new('busy', " \
                               "retry_after: 1.hour.from_now))\nend\n")
    start
    assert_equal 120_000, step("Waits")["failure"]["retry_after_ms"]
    assert_in_delta 3_600_000, step("Until", id: "e2")["failure"]["retry_after_ms"], 60_000
  end

  def test_backtraces_begin_with_the_frame_of_the_user
    write("handlers/calls.rb", <<~RUBY)
      class Calls
        def process(_task, _sequence, step)
          case step.config[:what]
          when "lease" then step.lease
          when "payload" then step.publish_event("a.b", Object.new)
          when "missing" then require("there/is/none")
          when "constant" then Nowhere
          when "config" then step.config.fetch(:none)
          when "environment" then ENV.update("A" => 1)
          when "folder" then Dir.chdir("/there/is/none")
          end
        end
      end
    RUBY
    start(callbacks: ["step.publish_event"])
    %w[lease missing constant config environment folder].each_with_index do |what, i|
      backtrace = step("Calls", id: what, config: { what: what })["failure"]["backtrace"]
      assert_match(/calls\.rb:/, backtrace[0], "#{what} #{i}")
    end
  end
end
