# frozen_string_literal: true

module Tasker
  module StepHandler
    # The usual superclass of handlers; it is not required. `config` is the template's handler_config.
    class Base
      include Concerns::EventPublisher
      include Concerns::StructuredLogging
      extend Exclusive

      class << self
        # The custom events of the handler, as the engine's classes declare them.
        def custom_event_configuration
          []
        end
        alias step_custom_events custom_event_configuration
      end

      # The engine passes `config:`; a subclass that hands its arguments on with a bare `*` passes a hash.
      def initialize(options = nil, config: options.is_a?(Hash) ? options[:config] : options)
        @config = config
      end

      def config
        @config ||= {}
      end

      def process(_task, _sequence, _step)
        raise NotImplementedError, "#{self.class} has no method process(task, sequence, step)"
      end

      # Stores what `process` returned, unless it has assigned step.results itself. An override assigns step.results;
      # what it returns is ignored.
      def process_results(step, process_output, initial_results)
        step.results = process_output if step.results == initial_results
      end

      # Runs the step: `process`, then `process_results`.
      def handle(task, sequence, step)
        StepHandler.run(self, task, sequence, step)
      end
    end
  end
end
