# frozen_string_literal: true

require_relative "fork"
require_relative "text"

module TaskerHost
  # The requests and heartbeats of one execution to the worker.
  class Callbacks
    STALE_LEASE = -32_020
    NOT_PERMITTED = -32_021
    RATE_LIMITED = -32_022
    UNAVAILABLE = -32_023
    HEARTBEAT_SECONDS = 1.0
    RETRY_SECONDS = 0.5
    MESSAGE_BYTES = 1000

    attr_reader :cancellation

    def initialize(execution_id, cancellation, client, writer)
      @execution_id = execution_id
      @cancellation = cancellation
      @client = client
      @writer = writer
    end

    # The time of the execution. A request is not retried after it.
    def timeout_ms=(milliseconds)
      @ends = now + (milliseconds / 1000.0) if milliseconds.is_a?(Numeric)
    end

    def offers?(method)
      @client.offers?(method)
    end

    # Sends a request to the worker, retries it if the worker is busy, and returns the result.
    def call(method, params)
      raise Tasker::NotOffered, "this worker does not offer #{method}" unless offers?(method)
      if Fork.child?
        raise Tasker::CallbackError, "#{method} is for the process that runs the step; this is a fork of it"
      end
      raise lease_lost if @lost || @cancellation.reason == "lease_lost"

      loop do
        answer = @client.request(method, { execution_id: @execution_id, **params }, @cancellation)
        return answer["result"] unless answer["error"]

        raise_or_wait(method, answer["error"])
      end
    end

    # Sends at most one heartbeat a second, and drops the others.
    def heartbeat(progress, message, details)
      return if @heartbeat && now - @heartbeat < HEARTBEAT_SECONDS

      @heartbeat = now
      params = { execution_id: @execution_id }
      params[:progress] = progress.to_f.clamp(0.0, 1.0) if finite?(progress)
      params[:message] = Text.clip(message, MESSAGE_BYTES) if message
      params[:details] = ResultJSON.plain(details, max_bytes: 16 << 10, max_depth: 16, what: "the details") if details
      @writer.notify("step.heartbeat", params)
    end

    def sleep(seconds)
      @cancellation.check!
      @cancellation.await(Mailbox.new, seconds)
      seconds
    end

    # The error of an execution whose claim is lost. Afterwards no request is sent for it.
    def lease_lost(error = {})
      @lost = true
      Tasker::LeaseLost.new("another attempt owns this step: stop, and cause no more effects", code: error["code"])
    end

    private

    def raise_or_wait(method, error)
      message = "#{method}: #{error["message"]}"
      case error["code"]
      when STALE_LEASE then raise lease_lost(error)
      when NOT_PERMITTED then raise Tasker::NotPermitted.new(message, code: NOT_PERMITTED)
      when RATE_LIMITED, UNAVAILABLE then pause(error, message)
      else raise Tasker::CallbackError.new(message, code: error["code"])
      end
    end

    def pause(error, message)
      requested = error["data"].is_a?(Hash) ? error["data"]["retry_after_ms"] : nil
      seconds = requested.is_a?(Numeric) ? [requested / 1000.0, 0.01].max : RETRY_SECONDS
      raise Tasker::CallbackError.new(message, code: error["code"]) if @ends && now + seconds > @ends

      @cancellation.await(Mailbox.new, seconds)
    end

    def finite?(progress)
      progress.is_a?(Numeric) && progress.to_f.finite?
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
end
