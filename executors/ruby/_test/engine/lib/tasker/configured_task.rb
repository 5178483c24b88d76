# frozen_string_literal: true

module Tasker
  class ConfiguredTask < TaskBuilder
  end
end
