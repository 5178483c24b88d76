# frozen_string_literal: true

module Tasker
  # Files of the engine may also hold a task handler. Templates describe tasks here, so the declarations of such a class
  # are accepted and not used.
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
