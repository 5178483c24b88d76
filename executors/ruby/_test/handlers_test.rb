# frozen_string_literal: true

require_relative "test_helper"

# The contract of the engine's step handlers.
class HandlersTest < Minitest::Test
  class Returns < Tasker::StepHandler::Base
    def process(task, _sequence, _step)
      { seen: task.context["a"], config: config[:k], symbol: task.context[:a] }
    end
  end

  class Assigns < Tasker::StepHandler::Base
    def process(_task, _sequence, step)
      step.results = { "assigned" => true }
      "returned"
    end
  end

  class Overrides < Tasker::StepHandler::Base
    def process(_task, _sequence, step)
      step.results = "by process" if config["assign"]
      "output"
    end

    def process_results(step, process_output, initial_results)
      step.results = [process_output, initial_results, step.results] unless config["forget"]
      "ignored"
    end
  end

  class ChangesInPlace < Tasker::StepHandler::Base
    def process(_task, _sequence, step)
      step.results["more"] = 1
      "returned"
    end
  end

  class NoSuper < Tasker::StepHandler::Base
    def initialize(*) = (@mine = 1)

    def process(*) = config["k"]
  end

  class Asks < Tasker::StepHandler::Base
    def process(task, sequence, step)
      step.backoff_request_seconds = 17 if config["backoff"]
      raise Tasker::RetryableError.new("busy", retry_after: config["after"]) if config["raise"]

      [sequence.find_step_by_name(:before).results, sequence.steps.map(&:name), sequence.find_step_by_name("x"), step.attempts,
       task.requested_at.year, sequence.find_step_by_name("step").name]
    end
  end

  def test_what_process_returns_is_stored_and_keys_are_strings
    got = run_handler(Returns, context: { a: 1 }, config: { k: 2 })
    assert_equal({ "seen" => 1, "config" => 2, "symbol" => nil }, got.result)
  end

  def test_assigned_results_win
    assert_equal({ "assigned" => true }, run_handler(Assigns).result)
  end

  def test_assigned_results_that_equal_the_earlier_ones_do_not
    assert_equal "returned", run_handler(Assigns, previous_results: { assigned: true }).result
  end

  def test_results_changed_in_place_win
    assert_equal({ "error" => "e", "more" => 1 }, run_handler(ChangesInPlace, previous_results: { error: "e" }).result)
  end

  def test_process_results_gets_output_and_earlier_results_and_must_assign
    assert_equal ["output", { "error" => "e" }, { "error" => "e" }], run_handler(Overrides, previous_results: { error: "e" }).result
    assert_equal ["output", nil, "by process"], run_handler(Overrides, config: { assign: true }).result
    assert_nil run_handler(Overrides, config: { forget: true }).result
  end

  class Merges < Tasker::StepHandler::Base
    def process(*)
      config[:mine] ||= 4
      merged = config.merge(k: 2, deep: { l: 3 })
      [config[:k], config["mine"], merged[:k], merged["k"], merged.dig(:deep, :l)]
    end
  end

  def test_a_config_with_more_in_it_can_still_be_read_with_symbols
    assert_equal [1, 4, 2, 2, 3], run_handler(Merges, config: { k: 1 }).result
  end

  def test_config_is_there_without_super
    assert_equal 3, run_handler(NoSuper, config: { k: 3 }).result
  end

  def test_sequence_and_task
    got = run_handler(Asks, results: { before: { n: 1 } }, attempt: 3, task: { requested_at: "2026-01-01T00:00:00Z" })
    assert_equal [{ "n" => 1 }, ["before"], nil, 2, 2026, "step"], got.result
  end

  def test_backoff_that_the_handler_asks_for
    assert_equal 17.0, run_handler(Asks, config: { backoff: true, raise: true }).failure.retry_after
    assert_equal 4.0, run_handler(Asks, config: { backoff: true, raise: true, after: 4 }).failure.retry_after
  end

  def test_events_and_helpers_do_not_fail_the_step
    handler = Class.new(Tasker::StepHandler::Base) do
      def self.name = "Helpers"

      def process(_task, _sequence, step)
        publish_event("order.charged", { amount: 3 })
        publish_custom_event("order.custom", { "a" => 1 })
        publish_step_started(step)
        log_structured(:info, "hello", api_key: "s3cret", amount: 1)
        log_step_event(step, "charged", duration: 0.2)
        nil
      end
    end
    got = run_handler(handler)
    assert got.success?, got.failure.inspect
    assert_equal %w[order.charged order.custom], got.events.map { |event| event["name"] }
    assert_equal "[REDACTED]", got.logs.find { |record| record["message"] == "hello" }["attrs"]["api_key"]
  end
end
