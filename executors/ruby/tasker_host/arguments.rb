# frozen_string_literal: true

require "time"
require_relative "step"

module TaskerHost
  # The first two arguments of `process`, made from the params of step.execute; the third is a Step.
  module Arguments
    # The task that the step belongs to.
    class Task
      attr_reader :task_id, :namespace, :name, :version, :context, :tags, :initiator, :source_system, :reason
      alias id task_id
      alias namespace_name namespace

      def initialize(task, sequence = nil)
        @task_id = Arguments.id(task["id"])
        @namespace, @name, @version = task.values_at("namespace", "name", "version")
        @context = task["context"] || {}
        @tags = task["tags"]
        @initiator, @source_system, @reason, @requested =
          task.values_at("initiator", "source_system", "reason", "requested_at")
        @sequence = sequence
      end

      def requested_at
        @requested_at ||= Arguments.time(@requested)
      end

      # A task has this status while one of its steps runs.
      def status
        "in_progress"
      end
      alias state status

      def complete
        false
      end
      alias complete? complete

      def workflow_steps
        @sequence ? @sequence.steps : []
      end

      def get_step_by_name(name)
        @sequence&.find_step_by_name(name)
      end
    end

    # A finished step that this one depends on, directly or not.
    Dependency = Struct.new(:workflow_step_id, :name, :results) do
      def id
        workflow_step_id
      end

      def status
        "complete"
      end
      alias_method :state, :status

      def complete?
        true
      end
      alias_method :processed, :complete?
      alias_method :processed?, :complete?
    end

    # The finished ancestors of the step, its parents last.
    class Sequence
      include Enumerable

      attr_reader :steps

      def initialize(dependencies, current = nil)
        @current = current
        @steps = dependencies.map do |name, step|
          Dependency.new(Arguments.id(step["step_id"]), name, step["result"])
        end
      end

      # The ancestor of that name, or the step itself, or nil.
      def find_step_by_name(name)
        name = name.to_s
        @steps.find { |step| step.name == name } || (@current if @current&.name == name)
      end

      def each(&block)
        @steps.each(&block)
      end
    end

    # Ids travel as strings, because not every language holds them as numbers.
    def self.id(value)
      Integer(value, exception: false) || value
    end

    def self.time(value)
      value.is_a?(String) ? Time.iso8601(value) : value
    rescue ArgumentError
      value
    end
  end
end
