# frozen_string_literal: true

module Tasker
  module StepHandler
    autoload :Api, "#{__dir__}/step_handler/api.rb"

    # The usual superclass of handlers; it is not required. `config` is the template's handler_config.
    class Base
      include Concerns::EventPublisher
      include Concerns::StructuredLogging

      class << self
        # The worker runs no other step in the process while one of this handler runs.
        def exclusive!
          @exclusive = true
        end

        def exclusive?
          @exclusive || (superclass.respond_to?(:exclusive?) && superclass.exclusive?) || false
        end

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

    class << self
      # Runs one step with any object that has `process`.
      def run(handler, task, sequence, step)
        initial = snapshot(step.results)
        output = handler.process(task, sequence, step)
        Api::Answer.check(output, step, handler.config) if api?(handler)
        if handler.respond_to?(:process_results, true)
          handler.send(:process_results, step, output, initial)
        elsif step.results == initial
          step.results = output
        end
      end

      # A subclass of Api can only be there when Api has been loaded.
      def api?(handler)
        !autoload?(:Api) && handler.is_a?(Api)
      end

      private

      # Results may be changed in place, so comparing needs a copy; on a first attempt there are none.
      def snapshot(results)
        results.nil? ? nil : Marshal.load(Marshal.dump(results))
      end
    end
  end
end
