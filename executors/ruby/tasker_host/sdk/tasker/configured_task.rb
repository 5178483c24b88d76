# frozen_string_literal: true

module Tasker
  # A task handler whose steps a YAML file has.
  class ConfiguredTask
    include TaskHandler
  end
end
