# frozen_string_literal: true

module Tasker
  module Concerns
    # Publishes events with the step that runs. As in the engine, an event that cannot be published is only logged. To
    # get an error, use step.publish_event.
    module EventPublisher
      def publish_event(name, payload = {}, dedupe_key: nil, delivery: "with_result", **more)
        payload = (payload || {}).merge(more)
        step = Tasker.current_step
        if step&.offers?("step.publish_event")
          return step.publish_event(name, payload, dedupe_key: dedupe_key, delivery: delivery)
        end

        Tasker.logger&.info("event #{name}", **TaskerHost::Attributes.of(payload))
        nil
      rescue CallbackError, TaskerHost::ResultJSON::Unacceptable => e
        Tasker.logger&.warn("event #{name} was not published: #{e.message}")
        nil
      end

      def publish_custom_event(name, payload = {}, **more)
        stamp = { event_type: "custom", timestamp: Time.now.utc.iso8601 }
        publish_event(name, stamp.merge(payload || {}).merge(more))
      end

      # The worker publishes the life cycle of steps and tasks. Events that handlers publish for it are logged at debug.
      {
        publish_step_started: "step.execution_requested", publish_step_before_handle: "step.before_handle",
        publish_step_completed: "step.completed", publish_step_failed: "step.failed",
        publish_step_retry_requested: "step.retry_requested", publish_step_cancelled: "step.cancelled",
        publish_step_backoff: "observability.step.backoff", publish_task_started: "task.start_requested",
        publish_task_completed: "task.completed", publish_task_failed: "task.failed"
      }.each do |method, name|
        define_method(method) do |*_subject, **payload|
          Tasker.logger&.debug("event #{name}", **payload)
          nil
        end
      end
    end
  end
end
