# frozen_string_literal: true

require "json"
require_relative "../tasker"
require_relative "../../execution"
require_relative "../../handler"
require_relative "../../log"
require_relative "../../rpc_error"
require_relative "../../worker_client"

module Tasker
  # Runs one handler as the host would, without a worker:
  #
  #   require "tasker/testing"
  #   outcome = Tasker::Testing.run(Shop::ChargeCard, context: { order_id: 7 },
  #                                                   results: { validate_cart: { total: 5 } })
  #   outcome.success?         # true
  #   outcome.result["charged"]
  module Testing
    # The outcome of a run. kind is "success", "failure", "deferred" or "cancelled".
    Outcome = Struct.new(:kind, :result, :failure, :resume_after, :checkpoint, :events, :checkpoints, :heartbeats,
                         :spawned, :tasks, :logs, keyword_init: true) do
      %w[success failure deferred cancelled].each { |name| define_method("#{name}?") { kind == name } }

      def permanent?
        failure? && failure.kind == "permanent"
      end

      def retryable?
        failure? && failure.kind == "retryable"
      end
    end

    # error_class is the name of the exception's class; retry_after is in seconds.
    Failure = Struct.new(:kind, :error_class, :message, :code, :retry_after, :details, :backtrace, keyword_init: true)

    # Runs handler, a class, and returns its Outcome. results are those of earlier steps, by name. cancel is the reason
    # of a cancel that has arrived before the handler looks. lease: false makes the lease lost.
    def self.run(handler, context: {}, results: {}, inputs: {}, config: {}, attempt: 1, retry_limit: 3, step: "step",
                 task: {}, previous_results: nil, checkpoint: nil, secrets: {}, lease: true, cancel: nil,
                 scratch_dir: nil)
      params = {
        execution_id: "test", handler: { name: handler.name, config: config }, checkpoint: checkpoint,
        scratch_dir: scratch_dir,
        step: { id: "1", name: step, attempt: attempt, max_attempts: retry_limit, inputs: inputs,
                results: previous_results },
        task: { id: "1", namespace: "default", name: "test", version: "0.1.0", context: context }.merge(task),
        dependencies: results.each_with_index.to_h do |(name, result), i|
          [name, { step_id: (i + 2).to_s, result: result }]
        end,
        idempotency_key: "tasker:step:1", timeout_ms: 60_000
      }
      Run.new(handler, JSON.parse(JSON.generate(params)), secrets, lease, cancel).outcome
    end

    # The session and the worker of one run.
    class Run
      Channel = Struct.new(:client, :writer, :log)

      def initialize(handler, params, secrets, lease, cancel)
        @handler = TaskerHost::Handler.new(handler)
        @params = params
        @worker = Worker.new(secrets, lease)
        @cancel = cancel
      end

      def outcome
        log = TaskerHost::Log.new(@worker)
        before, Tasker.logger = Tasker.logger, log
        execution = TaskerHost::Execution.new("test", @params, self, channel(log))
        line = perform(execution)
        read(JSON.parse(line).fetch("result"))
      ensure
        Tasker.logger = before
      end

      # The methods of a session that an execution calls.
      def handler(_params)
        @handler
      end

      def wrap
        execution_cancel
        yield
      end

      def payload_files?
        false
      end

      def max_inline_bytes
        TaskerHost::ResultJSON::INLINE_BYTES
      end

      def result_limits
        { max_bytes: max_inline_bytes, max_depth: 64 }
      end

      private

      # In a thread of its own, like in the host.
      def perform(execution)
        @execution = execution
        line = nil
        Thread.new { line = execution.perform }.join
        line || execution.abandoned
      end

      def execution_cancel
        @execution.cancellation.cancel(@cancel.to_s) if @cancel
      end

      def channel(log)
        client = TaskerHost::WorkerClient.new(@worker, Worker::OFFERED)
        @worker.client = client
        Channel.new(client, @worker, log)
      end

      def read(result)
        checkpoint = result["checkpoint"]
        resume_after = result["resume_after_ms"]
        Outcome.new(kind: result["outcome"], result: result["result"], failure: failure(result["failure"]),
                    checkpoint: checkpoint, resume_after: resume_after && (resume_after / 1000.0), **@worker.seen)
      end

      def failure(record)
        return unless record

        retry_after = record["retry_after_ms"]
        Failure.new(kind: record["kind"], error_class: record["class"], message: record["message"],
                    code: record["code"], retry_after: retry_after && (retry_after / 1000.0),
                    details: record["details"], backtrace: record["backtrace"])
      end
    end

    # Grants and records what a handler asks for.
    class Worker
      OFFERED = %w[step.lease step.save_checkpoint step.publish_event step.spawn tasks.create secrets.get].freeze

      attr_writer :client

      def initialize(secrets, lease)
        @secrets = secrets.to_h { |name, value| [name.to_s, value] }
        @lease = lease
        @seen = { events: [], checkpoints: [], heartbeats: [], spawned: [], tasks: [], logs: [] }
      end

      attr_reader :seen

      def notify(method, params)
        params = JSON.parse(JSON.generate(params))
        @seen[:logs] << params if method == "log"
        @seen[:heartbeats] << params if method == "step.heartbeat"
      end

      def request(id, method, params)
        params = JSON.parse(JSON.generate(params))
        @client.handle_response({ "id" => id, **answer(method, params) })
      end

      private

      def answer(method, params)
        return error(-32_020, "stale_lease") unless @lease

        case method
        when "step.lease" then result({ "current" => true, "remaining_ms" => 60_000 })
        when "step.save_checkpoint" then keep(:checkpoints, params["checkpoint"])
        when "step.publish_event" then keep(:events, params)
        when "step.spawn" then keep(:spawned, params["steps"], { "accepted" => params["steps"].size })
        when "tasks.create" then keep(:tasks, params, { "task_id" => (@seen[:tasks].size + 1).to_s, "created" => true })
        when "secrets.get" then secret(params["name"])
        end
      end

      def keep(kind, value, answer = { "accepted" => true })
        kind == :spawned ? @seen[kind].concat(value) : @seen[kind] << value
        result(answer)
      end

      def secret(name)
        return result({ "value" => @secrets[name] }) if @secrets.key?(name)

        error(-32_021, "no secret #{name} is given to this test")
      end

      def result(value)
        { "result" => value }
      end

      def error(code, message)
        { "error" => { "code" => code, "message" => message } }
      end
    end
  end
end
