# frozen_string_literal: true

module Tasker
  module StepHandler
    # Declarations of handler classes. The engine's Base is extended with it, too.
    module Exclusive
      # The worker runs no other step in the process while one of this handler runs.
      def exclusive!
        @exclusive = true
      end

      def exclusive?
        @exclusive || (superclass.respond_to?(:exclusive?) && superclass.exclusive?) || false
      end
    end
  end
end
