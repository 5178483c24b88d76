# frozen_string_literal: true

require_relative "support"

module Shop
  class ConfiguredHandler < Tasker::StepHandler::Base
    include Support

    def process(_task, _sequence, _step)
      answer(config)
    end
  end

  # The constructor takes no config.
  class PlainHandler
    def process(_task, _sequence, step)
      step.results = { "assigned" => true }
      { "returned" => true }
    end
  end

  # Not served: no public `process`.
  class Helper
    private

    def process(*); end
  end

  Generated = Class.new(PlainHandler)
end
