# frozen_string_literal: true

module TaskerHost
  # The three arguments of `process`, made from the params of step.execute.
  module Arguments
    # The task that the step belongs to.
    class Task
      attr_reader :task_id, :namespace, :name, :version, :context, :tags, :initiator, :source_system, :reason,
                  :requested_at
      alias id task_id

      def initialize(task)
        @task_id = Arguments.id(task["id"])
        @namespace, @name, @version = task.values_at("namespace", "name", "version")
        @context = task["context"] || {}
        @tags = task["tags"]
        @initiator, @source_system, @reason = task.values_at("initiator", "source_system", "reason")
        @requested_at = task["requested_at"]
      end
    end

    # A finished step that this one depends on, directly or not.
    Dependency = Struct.new(:workflow_step_id, :name, :results)

    # The finished ancestors of the step, its parents last.
    class Sequence
      attr_reader :steps

      def initialize(dependencies)
        @steps = dependencies.map do |name, step|
          Dependency.new(Arguments.id(step["step_id"]), name, step["result"])
        end
      end

      # The ancestor of that name, or nil.
      def find_step_by_name(name)
        name = name.to_s
        @steps.find { |step| step.name == name }
      end
    end

    # The step being run. Results assigned here are kept instead of what `process` returns.
    class Step
      attr_reader :workflow_step_id, :name, :attempt, :retry_limit, :inputs, :config, :idempotency_key
      attr_accessor :results
      alias id workflow_step_id

      def initialize(params)
        step = params["step"]
        @workflow_step_id = Arguments.id(step["id"])
        @name, @inputs, @results = step.values_at("name", "inputs", "results")
        @attempt = step["attempt"] || 1
        @retry_limit = step["max_attempts"]
        @config = params["handler"]["config"] || {}
        @idempotency_key = params["idempotency_key"]
      end

      # How many attempts there were before this one.
      def attempts
        attempt - 1
      end
    end

    # Ids travel as strings, because not every language holds them as numbers.
    def self.id(value)
      Integer(value, exception: false) || value
    end
  end
end
