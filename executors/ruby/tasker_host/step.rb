# frozen_string_literal: true

require_relative "config_hash"
require_relative "result_json"

module TaskerHost
  # The step that runs, as handlers see it. Results that are assigned here replace the return value of `process`.
  class Step
    CHECKPOINT_BYTES = 64 << 10
    JSON_DEPTH = 60

    NamedStep = Struct.new(:name)

    attr_reader :workflow_step_id, :name, :attempt, :retry_limit, :inputs, :config, :idempotency_key, :scratch_dir,
                :correlation_id
    # The seconds before the next attempt, if this attempt fails and its error names none.
    attr_accessor :backoff_request_seconds
    attr_accessor :results
    # The task that the step belongs to.
    attr_accessor :task
    attr_reader :checkpoint, :task_id
    alias id workflow_step_id

    def initialize(params, worker)
      @worker = worker
      step = params["step"]
      @workflow_step_id = Arguments.id(step["id"])
      @name, @inputs, @results = step.values_at("name", "inputs", "results")
      @attempt = step["attempt"] || 1
      @retry_limit = step["max_attempts"]
      @task_id = Arguments.id(params["task"]["id"])
      @config = ConfigHash.of(params["handler"]["config"] || {})
      @idempotency_key, @scratch_dir, @checkpoint, @correlation_id, @deadline_at, @trace =
        params.values_at("idempotency_key", "scratch_dir", "checkpoint", "correlation_id", "deadline_at", "trace")
    end

    # How many attempts there were before this one.
    def attempts
      attempt - 1
    end

    # When the worker ends this attempt.
    def deadline
      Arguments.time(@deadline_at)
    end

    def traceparent
      @trace && @trace["traceparent"]
    end

    # The state of a step of the engine while it runs.
    def status
      "in_progress"
    end
    alias state status

    def named_step
      NamedStep.new(name)
    end

    def retryable
      true
    end
    alias retryable? retryable

    def in_process
      true
    end

    def processed
      false
    end
    alias processed? processed

    # The worker writes the step's row. These methods do nothing, for handlers that save the step.
    def save(**)
      true
    end
    alias save! save

    def update(attributes)
      attributes.each { |name, value| public_send("#{name}=", value) }
      true
    end
    alias update! update

    def reload
      self
    end

    # Tells the worker that the step is alive, with its progress from 0 to 1. Raises Tasker::Cancelled if the step is
    # cancelled.
    def heartbeat(progress = nil, message = nil, details: nil)
      check!
      @worker.heartbeat(progress, message, details)
      nil
    end

    # Whether the worker has asked the step to stop: its time is over, a user cancelled it, or the worker shuts down.
    def cancelled?
      @worker.cancellation.cancelled?
    end

    # "timeout", "user", "lease_lost" or "shutdown" once cancelled.
    def cancel_reason
      @worker.cancellation.reason
    end

    # Raises Tasker::Cancelled if the worker has asked the step to stop.
    def check!
      @worker.cancellation.check!
    end

    # Runs the block so that a cancel interrupts its waits. Use it around sleeps and reads, never around database work.
    def interruptible(&block)
      @worker.cancellation.interruptible(&block)
    end

    # Sleeps, until a cancel ends it with Tasker::Cancelled.
    def sleep(seconds)
      @worker.sleep(seconds)
    end

    # Stores data, of at most 64 KiB, for the next attempt, which finds it as `checkpoint`.
    def save_checkpoint(data)
      plain = ResultJSON.plain(data, max_bytes: CHECKPOINT_BYTES, max_depth: JSON_DEPTH, what: "the checkpoint")
      @worker.call("step.save_checkpoint", { checkpoint: plain })
      @checkpoint = plain
    end

    # Publishes an event with the step's result, and so only if the step succeeds, or at once with delivery: "now".
    def publish_event(name, payload = {}, dedupe_key: nil, delivery: "with_result")
      params = { name: name.to_s, payload: json(payload, "the payload"), delivery: delivery.to_s }
      params[:dedupe_key] = dedupe_key.to_s if dedupe_key
      @worker.call("step.publish_event", params)
    end

    # Checks that this attempt still owns the step, and raises Tasker::LeaseLost if not. Call it before an effect that
    # cannot be undone. Returns the seconds for which the claim is certain.
    def lease
      answer = @worker.call("step.lease", {})
      lost = answer.is_a?(Hash) && answer["current"] == false
      raise @worker.lease_lost if lost

      answer["remaining_ms"].to_f / 1000 if answer.is_a?(Hash)
    end

    # Adds steps to the task when this step succeeds: [{ name:, handler:, inputs:, depends_on: [], config:, retryable:,
    # default_retry_limit: }]. Steps that wait for this step wait for them too. Returns { "accepted" => }.
    def spawn(steps)
      @worker.call("step.spawn", { steps: json(steps, "the steps") })
    end

    # Creates another task, once for each identity_key. Returns { "task_id" =>, "created" => }.
    def create_task(namespace, name, version = nil, context = {}, identity_key: nil)
      params = { namespace: namespace.to_s, name: name.to_s, context: json(context, "the context") }
      params[:version] = version if version
      params[:identity_key] = identity_key.to_s if identity_key
      @worker.call("tasks.create", params)
    end

    # The value of a secret that this handler may read. It is redacted in logs and failures.
    def secret(name)
      answer = @worker.call("secrets.get", { name: name.to_s })
      value = answer.is_a?(Hash) ? answer["value"] : answer
      Secrets.add(value)
      value
    end

    # Whether the worker offers a callback, for example "step.publish_event".
    def offers?(method)
      @worker.offers?(method)
    end

    def inspect
      "#<#{self.class.name} #{name} #{workflow_step_id}, attempt #{attempt}>"
    end

    private

    def json(value, what)
      ResultJSON.plain(value, max_bytes: ResultJSON::INLINE_BYTES, max_depth: JSON_DEPTH, what: what)
    end
  end
end
