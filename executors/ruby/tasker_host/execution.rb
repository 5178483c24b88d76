# frozen_string_literal: true

require_relative "arguments"
require_relative "failure"
require_relative "log"
require_relative "result_json"

module TaskerHost
  # One execution of one step: calls the handler and turns whatever happens into the line to answer with.
  class Execution
    attr_reader :execution_id, :started

    def initialize(request_id, params, handler, limits)
      @request_id = request_id
      @params = params
      @handler = handler
      @limits = limits
      @execution_id = params["execution_id"]
      @started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end

    # The response. Serialising is guarded like the handler itself: a result that cannot be sent is a failure.
    def perform
      Log.within(execution_id) { success(ResultJSON.generate(call, **@limits)) }
    rescue Exception => e # rubocop:disable Lint/RescueException -- `exit` and stack overflow end the step, not the host
      failure(described(e))
    end

    # The response when the handler ended its own thread and nothing was returned or raised.
    def abandoned
      failure({ kind: "retryable", class: "ThreadError", message: "the handler ended its thread", backtrace: [] })
    end

    private

    def call
      step = Arguments::Step.new(@params)
      before = snapshot(step.results)
      returned = @handler.build(step.config).process(
        Arguments::Task.new(@params["task"]), Arguments::Sequence.new(@params["dependencies"] || {}), step
      )
      step.results == before ? returned : step.results
    end

    # Exceptions are users' code too, and may raise when asked what they are. There is always an answer.
    def described(error)
      Failure.of(error)
    rescue StandardError => e
      { kind: "retryable", class: "Exception", message: "an exception that cannot be described: #{e.class}", backtrace: [] }
    end

    # Results may be changed in place, so comparing needs a copy; on a first attempt there are none.
    def snapshot(results)
      results.nil? ? nil : Marshal.load(Marshal.dump(results))
    end

    def success(json)
      respond(%({"outcome":"success","result":#{json}}))
    end

    def failure(failure)
      respond(JSON.generate({ outcome: "failure", failure: failure }))
    end

    def respond(result)
      %({"jsonrpc":"2.0","id":#{JSON.generate(@request_id)},"result":#{result}})
    end
  end
end
