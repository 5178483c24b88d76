# frozen_string_literal: true

module Tasker
  # Files of the engine may hold a task handler beside its step handlers. Templates describe tasks here, so what such a
  # class declares is accepted and not used.
  module TaskHandler
    def self.included(base)
      base.extend(Declarations)
    end

    module Declarations
      def register_handler(*, **); end
      def define_step_templates(*); end
    end
  end
end
