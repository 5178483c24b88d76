# frozen_string_literal: true

module Tasker
  module Concerns
    # The engine's logging helpers. Records reach the worker's log with the step that runs.
    module StructuredLogging
      SECRET_KEYS = /passw|secret|token|api_?key|\bkey\b|crypt|salt|certificate|otp|ssn|cvv|authorization/i.freeze

      def log_structured(level, message, **context)
        level = :info unless %i[debug info warn error fatal].include?(level.to_sym)
        attrs = { component: log_component, **correlation, **filtered(context) }
        Tasker.logger&.public_send(level, message, **attrs)
      end

      def log_task_event(task, event_type, **context)
        log_structured(:info, "task #{event_type}", entity_type: "task", entity_id: task.task_id,
                                                    entity_name: task.name, event_type: event_type, **context)
      end

      def log_step_event(step, event_type, duration: nil, **context)
        timing = duration ? performance(duration) : {}
        log_structured(:info, "step #{event_type}", entity_type: "step", entity_id: step.workflow_step_id,
                                                    entity_name: step.name, event_type: event_type, **timing, **context)
      end

      def log_orchestration_event(operation, event_type, **context)
        log_structured(:info, "#{operation} #{event_type}", operation: operation, event_type: event_type, **context)
      end

      def log_performance_event(operation, duration, **context)
        level = duration > 5 ? :warn : :info
        log_structured(level, "#{operation} took #{duration} s", operation: operation, **performance(duration),
                                                                 **context)
      end

      def log_exception(exception, context: {}, level: :error, **more)
        backtrace = exception.backtrace&.first(10)
        log_structured(level, "#{exception.class}: #{exception.message}", exception_class: exception.class.name,
                                                                          backtrace: backtrace, **context, **more)
      end

      def with_correlation_id(id)
        previous = Thread.current[:tasker_correlation_id]
        Thread.current[:tasker_correlation_id] = id
        yield
      ensure
        Thread.current[:tasker_correlation_id] = previous
      end

      def correlation_id
        Thread.current[:tasker_correlation_id] || Tasker.current_step&.correlation_id
      end

      private

      def log_component
        (is_a?(Module) ? self : self.class).name
      end

      def correlation
        id = correlation_id
        id ? { correlation_id: id } : {}
      end

      def performance(duration)
        category = if duration <= 0.1 then "fast"
                   elsif duration <= 1 then "moderate"
                   else duration <= 5 ? "slow" : "very_slow"
                   end
        { duration_ms: (duration * 1000).round(2), performance_category: category }
      end

      def filtered(context)
        context.to_h { |key, value| [key, key.to_s.match?(SECRET_KEYS) ? TaskerHost::Secrets::MASK : value] }
      end
    end
  end
end
