# frozen_string_literal: true

require_relative "../../api_response"
require_relative "step_handler/exclusive"

module Tasker
  module StepHandler
    autoload :Api, "#{__dir__}/step_handler/api.rb" unless TaskerHost::SDK.defined_by_app?(self, :Api)
    TaskerHost::SDK.defined_by_app?(self, :Base) ? Base.extend(Exclusive) : require_relative("step_handler/base")

    class << self
      # Runs one step with any object that has `process`.
      def run(handler, task, sequence, step, api = api?(handler))
        initial = snapshot(step.results)
        output = handler.process(task, sequence, step)
        TaskerHost::ApiResponse.check(output, step, handler.config) if api
        if handler.respond_to?(:process_results, true)
          handler.send(:process_results, step, output, initial)
        elsif step.results == initial
          step.results = output
        end
      end

      # A subclass of Api can only be there when Api has been loaded.
      def api?(handler)
        api_loaded? && handler.is_a?(Api)
      end

      def api_loaded?
        const_defined?(:Api, false) && !autoload?(:Api)
      end

      private

      # Results may be changed in place, so comparing needs a copy; on a first attempt there are none.
      def snapshot(results)
        results.nil? ? nil : Marshal.load(Marshal.dump(results))
      end
    end
  end
end
