# frozen_string_literal: true

module Tasker
  module Concerns
    # The bus of the engine: what was published, by name.
    module EventPublisher
      PUBLISHED = []

      def publish_event(name, payload = {}, **more)
        PUBLISHED << [name, payload.merge(more)]
      end
    end
  end
end
