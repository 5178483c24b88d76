# frozen_string_literal: true

require_relative "arguments"
require_relative "callbacks"
require_relative "cancellation"
require_relative "current"
require_relative "duration"
require_relative "failure"
require_relative "fork"
require_relative "message"
require_relative "output"
require_relative "payload_file"
require_relative "result_json"
require_relative "thread_state"

module TaskerHost
  # One execution of one step: calls the handler and makes the response of its result or exception.
  class Execution
    # Ids that are the same text in JSON. Other ids are encoded.
    PLAIN_ID = /\A[\w.-]+\z/

    attr_reader :execution_id, :started, :step, :cancellation

    def initialize(request_id, params, session, channel)
      @request_id = request_id
      @params = params
      @session = session
      @execution_id = params["execution_id"]
      @cancellation = Cancellation.new
      @callbacks = Callbacks.new(@execution_id, @cancellation, channel.client, channel.writer)
      @log = channel.log
      @handler = session.handler(params) unless params.key?("params_file")
      @started = now
    end

    # Whether no other execution may run at the same time. The handler of params in a file is not known yet.
    def exclusive?
      @handler ? @handler.exclusive : false
    end

    # Whether the handler is fast. The reader then runs the execution itself.
    def fast?
      @handler ? @handler.speed.fast? : false
    end

    # Runs the handler and returns the response. A result that cannot be serialised is a failure of the handler.
    def perform
      @cpu = cpu
      @began = now
      line = Current.within(self) { response }
      ThreadState.reset
      @handler&.speed&.record(now - @began)
      line
    end

    # The response if the handler ended its own thread.
    def abandoned
      failure({ kind: "retryable", class: "ThreadError", message: "the handler ended its thread", backtrace: [] })
    end

    # Logs text that the handler prints.
    def print(stream, text)
      printed.add(stream, text)
    end

    private

    def printed
      @printed || PrintedLines::LOCK.synchronize { @printed ||= PrintedLines.new(@log, @execution_id) }
    end

    def response
      line = outcome
      @printed&.finish
      line
    end

    def outcome
      @cancellation.check!
      read_params unless @handler
      success(ResultJSON.generate(call, **limits))
    rescue Message::Unreadable => e
      failure(Failure.of_request("the request cannot be read: #{e.message}"))
    rescue RpcError => e
      %({"jsonrpc":"2.0","id":#{JSON.generate(@request_id)},"error":#{JSON.generate(e.to_h)}})
    rescue Tasker::Deferred => e
      deferred(e)
    rescue Exception => e # rubocop:disable Lint/RescueException -- `exit` and stack overflow end the step, not the host
      ended_by_cancel?(e) ? cancelled : failure(described(e))
    end

    def read_params
      @params = PayloadFile.read(@params, @session.max_file_bytes).merge(@params.slice("execution_id", "scratch_dir"))
      @handler = @session.handler(@params)
    end

    def call
      @callbacks.timeout_ms = @params["timeout_ms"]
      step = @step = Step.new(@params, @callbacks)
      sequence = Arguments::Sequence.new(@params["dependencies"] || {}, step)
      task = step.task = Arguments::Task.new(@params["task"], sequence)
      @session.wrap { run(task, sequence, step) }
      step.results
    end

    def run(task, sequence, step)
      @handler.run(task, sequence, step)
    ensure
      Fork.leave($!) if Fork.child? # a child that the handler forked must not answer
    end

    # The limits of a result. A result above the inline limit is sent as a file, if the worker accepts files.
    def limits
      scratch = @session.payload_files? && @params["scratch_dir"]
      scratch ? @session.file_limits : @session.result_limits
    end

    def success(json)
      return respond(%({"outcome":"success","result":#{json}#{metadata}})) if json.bytesize <= @session.max_inline_bytes

      file = PayloadFile.write(@params["scratch_dir"], json)
      respond(%({"outcome":"success","result_file":#{JSON.generate(file)}#{metadata}}))
    end

    # The failure of error. Describing an exception runs users' code, which may raise; the step still gets a response.
    def described(error)
      failure = Failure.of(error)
      return failure unless failure[:kind] == "retryable" && @step

      delay = milliseconds("backoff_request_seconds", @step.backoff_request_seconds)
      delay ? { retry_after_ms: delay, **failure } : failure
    rescue StandardError => e
      message = "an exception that cannot be described: #{e.class}"
      { kind: "retryable", class: "Exception", message: message, backtrace: [] }
    end

    def milliseconds(name, value)
      value.nil? ? nil : Duration.milliseconds(value)
    rescue ArgumentError => e
      Failure.note(name, e) && nil
    end

    def failure(failure)
      respond(%({"outcome":"failure","failure":#{JSON.generate(failure)}#{metadata}}))
    end

    def deferred(error)
      result = { outcome: "deferred", resume_after_ms: milliseconds("resume_after", error.resume_after) || 0 }
      checkpoint = checkpoint(error.checkpoint)
      result[:checkpoint] = checkpoint unless checkpoint.nil?
      respond(JSON.generate(result))
    rescue ResultJSON::Unacceptable => e
      failure(described(e))
    end

    def checkpoint(data)
      return if data.nil?

      ResultJSON.plain(data, max_bytes: Step::CHECKPOINT_BYTES, max_depth: Step::JSON_DEPTH, what: "the checkpoint")
    end

    # Whether error means that the step was cancelled. A handler may have wrapped the cancel, which is then a cause.
    def ended_by_cancel?(error)
      return false unless @cancellation.cancelled?

      10.times do
        return true if error.is_a?(Tasker::Cancelled)
        return true if error.is_a?(Tasker::LeaseLost) && @cancellation.reason == "lease_lost"

        error = error&.cause
      end
      false
    end

    def cancelled
      respond(%({"outcome":"cancelled"#{metadata}}))
    end

    # The member with the CPU time of the step. It is omitted below 1 ms.
    def metadata
      return "" if @began.nil? || now - @began < 0.001

      used = (cpu - @cpu) * 1000
      used < 1 ? "" : format(',"metadata":{"cpu_ms":%.3f}', used)
    end

    def cpu
      Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID)
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end

    def respond(result)
      id = PLAIN_ID.match?(@request_id) ? %("#{@request_id}") : JSON.generate(@request_id)
      %({"jsonrpc":"2.0","id":#{id},"result":#{result}})
    end
  end
end
