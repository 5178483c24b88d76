# frozen_string_literal: true

require_relative "test_helper"

# The requests and heartbeats of a step.
class StepTest < Minitest::Test
  def handler(&block)
    Class.new do
      define_singleton_method(:name) { "Anonymous" }
      define_method(:process) { |task, sequence, step| instance_exec(task, sequence, step, &block) }
    end
  end

  def test_callbacks
    got = run_handler(handler do |_t, _s, step|
      step.heartbeat(0.5, "half")
      step.save_checkpoint({ rows: 3 })
      step.publish_event("a.b", { n: 1 }, dedupe_key: "k")
      accepted = step.spawn([{ name: "x", handler: "X" }])
      [step.lease, accepted, step.create_task("n", "t", "1.0.0", { a: 1 }, identity_key: "i"), step.secret("pin"), step.checkpoint]
    end, secrets: { pin: "12345" })
    assert got.success?, got.failure.inspect
    assert_equal [60.0, { "accepted" => 1 }, { "task_id" => "1", "created" => true }, "12345", { "rows" => 3 }], got.result
    assert_equal [[{ "rows" => 3 }], ["x"], [0.5]],
                 [got.checkpoints, got.spawned.map { |s| s["name"] }, got.heartbeats.map { |h| h["progress"] }]
  end

  def test_a_lost_lease_stays_lost
    got = run_handler(handler do |_t, _s, step|
      begin
        step.lease
      rescue Tasker::LeaseLost
        nil
      end
      step.publish_event("never")
    end, lease: false)
    assert_equal ["Tasker::LeaseLost", []], [got.failure.error_class, got.events]
  end

  def test_what_is_not_permitted
    got = run_handler(handler { |_t, _s, step| step.secret("other") })
    assert_equal "Tasker::NotPermitted", got.failure.error_class
  end

  def test_cancelled
    assert run_handler(handler { |_t, _s, step| step.check! }, cancel: :user).cancelled?
    assert run_handler(handler { |_t, _s, step| step.heartbeat }, cancel: :user).cancelled?
    assert run_handler(handler { |_t, _s, step| step.interruptible { sleep } }, cancel: :user).cancelled?
    assert_equal "finished", run_handler(handler { |_t, _s, step| step.cancelled? && "finished" }, cancel: :user).result
    wrapped = handler do |_t, _s, step|
      step.check!
    rescue Tasker::Cancelled
      raise Tasker::PermanentError, "wrapped"
    end
    assert run_handler(wrapped, cancel: :timeout).cancelled?
    assert run_handler(handler { |*| raise Tasker::Cancelled }).failure?
  end

  def test_a_checkpoint_can_be_saved_after_the_cancel
    got = run_handler(handler do |_t, _s, step|
      step.check!
    ensure
      step.save_checkpoint(1)
    end, cancel: :shutdown)
    assert_equal [true, [1]], [got.cancelled?, got.checkpoints]
  end

  def test_deferred
    [Tasker::Deferred.new(30, { "a" => 1 }), Tasker::Deferred.new(resume_after: 30, checkpoint: { a: 1 }),
     Tasker::Deferred.new(30, checkpoint: { a: 1 })].each do |error|
      got = run_handler(handler { |*| raise error })
      assert_equal ["deferred", 30.0, { "a" => 1 }], [got.kind, got.resume_after, got.checkpoint]
    end
  end

  def test_secrets_do_not_reach_logs_and_failures
    got = run_handler(handler do |_t, _s, step|
      pin = step.secret("pin")
      Tasker.logger.info("pin is #{pin}", pin_value: "x#{pin}")
      raise "pin #{pin} refused"
    end, secrets: { pin: "98765432" })
    refute_includes got.to_s, "98765432"
    assert_includes got.failure.message, "[REDACTED]"
  end

  def test_threads_of_the_handler_work_for_its_step
    got = run_handler(handler { |_t, _s, step| Thread.new { Tasker.current_step.equal?(step) }.value })
    assert_equal true, got.result
    assert_nil Tasker.current_step
  end

  def test_a_cancel_ends_a_wait_and_strikes_nothing_later
    cancellation = TaskerHost::Cancellation.new
    entered = Thread::Queue.new
    waiting = Thread.new do
      cancellation.interruptible { entered << 1 && sleep }
    rescue Tasker::Cancelled
      Thread.pass
      :interrupted
    end
    entered.pop
    cancellation.cancel("user")
    assert_equal :interrupted, waiting.value
  end
end
