# frozen_string_literal: true

module Tasker
  module TaskHandler
    REGISTERED = []

    def self.included(base)
      base.extend(ClassMethods)
    end

    module ClassMethods
      def register_handler(name, **)
        REGISTERED << [self, name]
      end
    end
  end
end
