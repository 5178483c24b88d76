# frozen_string_literal: true

module Tasker
  # Makes a task handler of a configuration.
  class TaskBuilder
    attr_reader :config

    def initialize(config: {})
      @config = config
    end
  end
end
