# frozen_string_literal: true

module Tasker
  module Concerns
    module StructuredLogging
      def log_structured(_level, message, **)
        "the engine logs #{message}"
      end
    end
  end
end
