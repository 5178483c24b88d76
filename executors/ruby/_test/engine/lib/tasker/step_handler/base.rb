# frozen_string_literal: true

module Tasker
  module StepHandler
    # Publishes around `process`.
    module AutomaticEventPublishing
      def handle(*)
        raise "the engine's own handle"
      end
    end

    class Base
      include Tasker::Concerns::EventPublisher
      include Tasker::Concerns::StructuredLogging

      prepend AutomaticEventPublishing

      attr_reader :config

      def initialize(config: nil)
        @config = config
      end

      def handle(*)
        raise "the engine's own handle"
      end

      def process(*)
        raise NotImplementedError
      end

      protected

      def process_results(step, process_output, initial_results)
        step.results = process_output if step.results == initial_results
      end
    end
  end
end
